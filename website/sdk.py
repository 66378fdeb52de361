"""The page of the SDK's public names, from their docstrings."""

import inspect

import nalanda
from nalanda._sync.transport import Transport

_ABOUT = """# Names of the SDK

Every public name of the package `nalanda`, from its docstring. [The SDK](../../sdk/README.md)
explains how to use them. `AsyncNalanda` has the methods of `Nalanda`, with `await`.
"""


def sdk_page() -> str:
    """Return the page in Markdown, with directives for mkdocstrings."""
    sections = {"Client": _client(), "Values": [], "Errors": []}
    for name in nalanda.__all__:
        value = getattr(nalanda, name)
        is_error = inspect.isclass(value) and issubclass(value, Exception)
        if value not in (nalanda.Nalanda, nalanda.AsyncNalanda):
            sections["Errors" if is_error else "Values"].append(f"nalanda.{name}")
    lines = [_ABOUT]
    for title, names in sections.items():
        lines += [f"## {title}\n", *(f"::: {name}\n" for name in names)]
    return "\n".join(lines)


def _client() -> list[str]:
    """Return the paths of the client, and of the classes of its resources."""
    with nalanda.Nalanda() as client:
        parts = [type(part) for part in vars(client).values() if not isinstance(part, Transport)]
    classes: list[type] = [nalanda.Nalanda, *parts]
    return [f"{part.__module__}.{part.__qualname__}" for part in classes]
