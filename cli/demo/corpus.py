"""The demo's library: the standard library's documentation as documents and chunks.

Each module is a document. Each public name in the module is a chunk, or several if its docstring is
long.
"""

import hashlib
import json
import platform
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any

from cli.demo import stdlib
from cli.demo.stdlib import Entry
from core.documents.parsing.registry import parse_text
from core.documents.splitting import split

READ_S = 120.0
PYTHON = platform.python_version()

METADATA_SCHEMA: dict[str, Any] = {
    "fields": {
        "module": {"type": "string", "required": True},
        "kind": {
            "type": "string",
            "required": True,
            "enum": ["module", "class", "function", "method"],
        },
        "name": {"type": "string", "required": True},
        "signature": {"type": "string"},
        "python": {"type": "string", "required": True},
    },
    "additional": False,
}


@dataclass(frozen=True, slots=True)
class Chunk:
    id: str
    text: str
    metadata: dict[str, str]
    headings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A module as a document; `content_hash` changes with any of its chunks."""

    id: str
    title: str
    chunks: tuple[Chunk, ...]
    content_hash: str


class CorpusUnreadable(Exception):
    """A failure of the process that reads the standard library."""


def read() -> list[Entry]:
    """Return the documentation of the running Python, read by a separate process.

    Raises:
        CorpusUnreadable: the process failed or timed out.
    """
    command = [sys.executable, "-I", "-S", stdlib.__file__]
    try:
        answer = subprocess.run(  # noqa: S603 - this Python, on a file of ours
            command, capture_output=True, timeout=READ_S, check=True
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise CorpusUnreadable(f"The standard library could not be read: {error}") from error
    return [Entry(**json.loads(line)) for line in answer.stdout.splitlines()]


def documents(entries: Iterable[Entry]) -> Iterator[Document]:
    """Yield a document per module; `entries` are grouped by module."""
    for module, group in groupby(entries, key=lambda entry: entry.module):
        chunks = tuple(chunk for entry in group for chunk in _chunks(entry))
        yield Document(f"python-{PYTHON}-{module}", module, chunks, _hash(chunks))


def _chunks(entry: Entry) -> Iterator[Chunk]:
    """Yield chunks that each begin with the name and signature, so that each is clear by itself."""
    metadata = {
        "module": entry.module,
        "kind": entry.kind,
        "name": entry.name,
        "python": PYTHON,
    }
    if entry.signature:
        metadata["signature"] = entry.signature
    headings = () if entry.kind == "module" else (entry.name,)
    for number, piece in enumerate(split(parse_text(entry.doc))):
        text = f"{entry.name}{entry.signature}\n\n{piece.text}"
        yield Chunk(_id(entry.name, number), text, metadata, headings)


def _id(name: str, number: int) -> str:
    return f"python-{PYTHON}-{name}~{number}"


def _hash(chunks: Iterable[Chunk]) -> str:
    content = json.dumps([asdict(chunk) for chunk in chunks], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()
