"""The pages of the documentation, and the code in them."""

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "sdk/README.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]

_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"(?<=\n\n)(?: {4}.*\n|\n)+")
_INLINE = re.compile(r"`((?:nalanda|make) [^`]+)`")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block; `language` may be empty."""

    page: Path
    language: str
    code: str


def blocks() -> Iterator[Block]:
    """Yield the fenced blocks of all pages."""
    for page in PAGES:
        for _, language, code in _FENCE.findall(page.read_text()):
            yield Block(page, language, textwrap.dedent(code))


def commands(text: str) -> Iterator[str]:
    """Yield the calls of `nalanda` and `make` in a page: in fences, indented blocks and lines."""
    fences = [code for _, _, code in _FENCE.findall(text)]
    rest = _FENCE.sub("", text)
    for code in [*fences, *_INDENTED.findall(rest)]:
        for line in code.replace("\\\n", " ").splitlines():
            command = line.strip().removeprefix("$ ").removeprefix(".venv/bin/")
            if command.startswith(("nalanda ", "make ")):
                yield command
    yield from (" ".join(inline.split()) for inline in _INLINE.findall(rest))
