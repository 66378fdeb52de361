"""JSON pointers (RFC 6901), which name the place of a fault in the input."""


def join(pointer: str, *tokens: str | int) -> str:
    """Return `pointer` extended by the tokens, `~` and `/` in them escaped."""
    escaped = (str(token).replace("~", "~0").replace("/", "~1") for token in tokens)
    return "/".join((pointer, *escaped))
