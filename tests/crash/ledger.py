"""The ledger: sent and answered writes, reads, and the state that they require.

The clients write each line before the request that it describes, so the file survives any end of
the clients. The driver reads the file afterwards.
"""

import json
import os
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, TypeAlias

from tests.crash.model import Kind, Namespace, Write, apply


@dataclass(frozen=True, slots=True)
class Ack:
    """An acknowledgement; `document_id`: a posted document's, `replayed`: it repeats an answer."""

    write: Write
    position: int
    document_id: str | None
    replayed: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """The chunks that a read at a position returned, by name, with their versions.

    `writer`: the chunks are all of this writer's in the library.
    """

    position: int
    library: str
    writer: int | None
    versions: Mapping[str, int]


@dataclass(slots=True)
class ClientReports:
    """The reports of a round's clients. `pending`: sent without any answer; `wrong`: answers of no
    healthy server.
    """

    acks: list[Ack] = field(default_factory=list)
    pending: list[Write] = field(default_factory=list)
    refused: list[Write] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


class Pen:
    """The writing end; a line is in the file, and survives its writer, when `write` returns."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def __enter__(self) -> "Pen":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        os.close(self._file)

    def record_sent(self, write: Write) -> None:
        self._write(
            sent=write.number,
            writer=write.writer,
            kind=write.kind,
            library=write.library,
            document=write.document,
            chunks=write.chunks,
        )

    def ack(self, number: int, position: int, document_id: str | None, *, replayed: bool) -> None:
        self._write(ack=number, position=position, document_id=document_id, replayed=replayed)

    def record_refusal(self, number: int) -> None:
        self._write(refused=number)

    def wrong(self, what: str) -> None:
        self._write(wrong=what)

    def record_read(self, seen: Seen) -> None:
        self._write(
            seen=seen.position, library=seen.library, writer=seen.writer, versions=seen.versions
        )

    def _write(self, **line: object) -> None:
        os.write(self._file, json.dumps(line).encode() + b"\n")


def read(path: Path) -> ClientReports:
    reports = ClientReports()
    open_writes: dict[int, Write] = {}
    for line in _lines(path):
        if "sent" in line:
            write = _write_of(line)
            open_writes[write.number] = write
        elif "ack" in line:
            write = open_writes.pop(line["ack"])
            ack = Ack(write, line["position"], line["document_id"], line["replayed"])
            reports.acks.append(ack)
        elif "refused" in line:
            reports.refused.append(open_writes.pop(line["refused"]))
        elif "wrong" in line:
            reports.wrong.append(line["wrong"])
        else:
            versions = line["versions"]
            reports.seen.append(Seen(line["seen"], line["library"], line["writer"], versions))
    reports.pending = list(open_writes.values())
    return reports


def answers(path: Path) -> int:
    """Return the number of acknowledged writes so far."""
    return path.read_bytes().count(b'{"ack"') if path.exists() else 0


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    if path.exists():
        for line in path.read_bytes().splitlines(keepends=True):
            if line.endswith(b"\n"):  # else the writer was killed before it sent the write
                yield json.loads(line)


def _write_of(line: Mapping[str, Any]) -> Write:
    return Write(
        number=line["sent"],
        writer=line["writer"],
        kind=Kind(line["kind"]),
        library=line["library"],
        document=line["document"],
        chunks=tuple(line["chunks"]),
    )


@dataclass(frozen=True, slots=True)
class Entry:
    """A write on record and its position; 0 if the position is unknown."""

    write: Write
    position: int
    document_id: str | None = None


Owner: TypeAlias = tuple[str, int]
"""A library and a writer."""


@dataclass(frozen=True, slots=True)
class Change:
    """A chunk's version from a position on; `None`: deleted."""

    position: int
    owner: Owner
    name: str
    version: int | None


class Ledger:
    """The writes that must be on record, in order of position, and the resulting state.

    `position`: the record's at the last check.
    """

    def __init__(self, position: int = 0) -> None:
        self.position = position
        self.entries: list[Entry] = []
        self.namespaces: dict[int, Namespace] = {}
        self._page: dict[Owner, dict[str, int]] = {}
        self._changes: list[Change] = []

    def namespace(self, writer: int) -> Namespace:
        return self.namespaces.setdefault(writer, Namespace())

    def enter(self, entry: Entry) -> None:
        """Enter the writer's next write."""
        write = entry.write
        there = self.namespace(write.writer)
        before = dict(there.chunks)
        apply(there, write, entry.position)
        if entry.document_id is not None:
            there.ids[write.library, write.document] = entry.document_id
        self.entries.append(entry)
        for key in before.keys() | there.chunks.keys():
            new = there.chunks.get(key)
            if before.get(key) is not new:
                owner, version = (key[0], write.writer), None if new is None else new.version
                self._changes.append(Change(entry.position, owner, key[1], version))

    def turn_page(self, position: int) -> None:
        """Accept the record at a position, which settles all earlier reads."""
        self.position = position
        self._changes.clear()
        self._page = defaultdict(dict)
        for writer, there in self.namespaces.items():
            for (library, name), chunk in there.chunks.items():
                self._page[library, writer][name] = chunk.version

    def rewind(self, position: int) -> None:
        """Return to the state at an earlier position."""
        kept = [entry for entry in self.entries if entry.position <= position]
        self.entries, self.namespaces = [], {}
        for entry in kept:
            self.enter(entry)
        self.turn_page(position)

    def history(self) -> "History":
        """Return the history since the last page."""
        return History(self._page, self._changes)


class History:
    """The chunks at successive positions, in ascending order only."""

    def __init__(self, page: Mapping[Owner, Mapping[str, int]], changes: list[Change]) -> None:
        self._versions = {owner: dict(versions) for owner, versions in page.items()}
        self._changes = deque(sorted(changes, key=lambda change: change.position))

    def advance(self, position: int) -> None:
        while self._changes and self._changes[0].position <= position:
            change = self._changes.popleft()
            versions = self._versions.setdefault(change.owner, {})
            if change.version is None:
                versions.pop(change.name, None)
            else:
                versions[change.name] = change.version

    def versions(self, library: str, writer: int) -> Mapping[str, int]:
        """Return the versions of a writer's chunks in a library, by name."""
        return self._versions.get((library, writer), {})


def writer_of(name: str) -> int:
    """Return the writer of a chunk or document by its name."""
    return int(name[1:].partition("-")[0])
