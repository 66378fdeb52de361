"""JSON pointers (RFC 6901): where in the input a fault is."""


def join(pointer: str, *tokens: str | int) -> str:
    """`pointer` with the tokens below it, `~` and `/` in them escaped."""
    escaped = (str(token).replace("~", "~0").replace("/", "~1") for token in tokens)
    return "/".join((pointer, *escaped))
