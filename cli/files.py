"""Text files as documents: which there are, and what is known of each."""

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

SUFFIXES = frozenset({".txt", ".md", ".markdown", ".rst"})
_HEADING = re.compile(r"^# +(.+?)[ #]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class TextFile:
    """`source` is its absolute path as a URI, and `id` follows from that."""

    id: str
    source: str
    title: str
    text: str
    content_hash: str


def find(paths: Iterable[Path], unreadable: Callable[[OSError], None]) -> Iterator[Path]:
    """Files that are named, and those in folders that end like text; hidden ones are passed over.

    Folders that can't be listed are told to `unreadable`.
    """
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        for folder, names, files in os.walk(path, onerror=unreadable):
            names[:] = sorted(name for name in names if not name.startswith("."))
            yield from (Path(folder, name) for name in sorted(files) if _is_text(name))


def read(path: Path) -> TextFile:
    """The file's text and what else a document of it has.

    Raises:
        OSError: it can't be read.
        UnicodeDecodeError: it is not UTF-8.
    """
    content = path.read_bytes()
    text = content.decode("utf-8-sig")
    source = path.resolve().as_uri()
    return TextFile(
        id=str(uuid5(NAMESPACE_URL, source)),
        source=source,
        title=_title(path, text),
        text=text,
        content_hash=hashlib.sha256(content).hexdigest(),
    )


def _is_text(name: str) -> bool:
    return not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES


def _title(path: Path, text: str) -> str:
    """A Markdown file's first heading, else the file's name."""
    heading = _HEADING.search(text) if path.suffix.lower() in {".md", ".markdown"} else None
    return heading[1] if heading else os.fsencode(path.name).decode(errors="replace")
