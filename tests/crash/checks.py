"""Comparison of the record with the ledger. Each fault is one line that begins with its kind:

lost: an acknowledged write, or one that a reader saw, is missing.
half: a write is present in part.
twice: a write is present more than once.
stray: a row without a write, or a refused write is present.
gap: positions without a write, or a log with holes.
dirty: a reader saw a state that was never on record at that position.
wrong: a response that no healthy server gives.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from typing import TypeAlias

from tests.crash.ledger import ClientReports, Entry, History, Ledger, Seen, writer_of
from tests.crash.model import Chunk, Document, Key, Kind, Namespace, Write, apply
from tests.crash.record import Record

Row: TypeAlias = Document | Chunk

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A deletion on record whose position is unknown, and its deleted chunks."""

    write: Write
    gone: Set[str]

    @property
    def named(self) -> set[str]:
        """Return the chunks whose ids are their names."""
        return {name for name in self.gone if not name.startswith("p")}

    def matches_log_entry(self, changes: str) -> bool:
        """Return whether a log entry matches the deletion: its library, its number of chunks, its
        names.
        """
        reports = [c for c in json.loads(changes) if c.get("library_id") == self.write.library]
        if not reports or not all(change["kind"].endswith("_deleted") for change in reports):
            return False
        if self.write.kind is Kind.DELETE_LIBRARY:
            return True
        ids = [id_ for change in reports for id_ in change.get("chunk_ids", ())]
        return len(ids) == len(self.gone) and self.named <= set(ids)


def settle(ledger: Ledger, reports: ClientReports, record: Record) -> list[str]:
    """Find the surviving writes, enter them in the ledger, and return the faults.

    Without a fault the ledger is at the record's position. O(rows of the record).
    """
    faults = [*(f"wrong: {what}" for what in reports.wrong), *record.faults]
    faults += _enter_acks(ledger, reports, record)
    unplaced: list[Unplaced] = []
    pending = {write.writer: write for write in reports.pending}
    for writer in ledger.namespaces.keys() | record.namespaces.keys() | pending.keys():
        faults += _settle_writer(ledger, record, writer, pending.get(writer), unplaced)
    faults += _positions(ledger, record, unplaced)
    faults += _log(ledger, record)
    history = ledger.history()
    for seen in sorted(reports.seen, key=lambda seen: seen.position):
        history.advance(seen.position)
        faults += _check_read(ledger, history, record, seen)
    if not faults:
        ledger.turn_page(record.position)
    return faults


def forget_behind(ledger: Ledger, reports: ClientReports, position: int) -> ClientReports:
    """Return the rest of the ledger's reports if the disk lost everything after a position."""
    if position < ledger.position:
        ledger.rewind(position)
        return ClientReports(wrong=reports.wrong)
    lost = {ack.write.writer for ack in reports.acks if ack.position > position}
    return ClientReports(
        acks=[ack for ack in reports.acks if ack.position <= position],
        pending=[write for write in reports.pending if write.writer not in lost],
        seen=[seen for seen in reports.seen if seen.position <= position],
        refused=reports.refused,
        wrong=reports.wrong,
    )


def _enter_acks(ledger: Ledger, reports: ClientReports, record: Record) -> Iterator[str]:
    """Enter all acknowledged writes, except replays of entered ones."""
    places = {entry.write.number: entry.position for entry in ledger.entries}
    taken = set(places.values())
    for ack in sorted(reports.acks, key=lambda ack: ack.position):
        named = _named(ack.write, ack.position)
        before = places.get(ack.write.number)
        if before is not None:
            if not ack.replayed or ack.position != before:
                yield f"twice: {named} was carried out before, at {before}"
            continue
        if ack.replayed:
            yield f"twice: {named} was answered as if it had been before, which it had not"
        if ack.position in taken or ack.position <= ledger.position:
            yield f"gap: {named} has a position that is another write's"
        if ack.position > record.position:
            yield f"lost: {named} was acknowledged, and the record is at {record.position}"
        ledger.enter(Entry(ack.write, ack.position, ack.document_id))
        places[ack.write.number] = ack.position
        taken.add(ack.position)


def _settle_writer(
    ledger: Ledger, record: Record, writer: int, pending: Write | None, unplaced: list[Unplaced]
) -> Iterable[str]:
    """Enter a surviving write without an answer, or add it to those without a position."""
    must, actual = ledger.namespace(writer), record.namespace(writer)
    if actual.same(must):
        return _misnamed(must, actual)
    if pending is None:
        return _differences(must, actual)
    versions = _versions_of(pending, actual)
    may = must.copy()
    apply(may, pending, max(versions, default=0))
    if not actual.same(may):
        return _half(pending, versions, must, may, actual)
    if not versions:
        gone = {name for _, name in must.chunks.keys() - may.chunks.keys()}
        unplaced.append(Unplaced(pending, gone))
        return []
    document_id = actual.ids.get((pending.library, pending.document))
    ledger.enter(Entry(pending, max(versions), document_id))
    return _misnamed(ledger.namespace(writer), actual)


def _versions_of(write: Write, actual: Namespace) -> set[int]:
    """Return the versions of the rows that this write has put."""
    rows: list[Row] = [*actual.documents.values(), *actual.chunks.values()]
    versions = {row.version for row in rows if row.op == write.number}
    own = actual.libraries.get(write.library)
    return versions | {own[1]} if own and own[0] == write.number else versions


def _half(
    write: Write, versions: set[int], must: Namespace, may: Namespace, actual: Namespace
) -> list[str]:
    """Return the difference from the nearer state: with or without the unanswered write."""
    without, with_ = _differences(must, actual), _differences(may, actual)
    if versions or len(with_) < len(without):
        return [f"half: {_named(write)} is there in part: {line}" for line in with_]
    return without


def _misnamed(must: Namespace, actual: Namespace) -> list[str]:
    return [
        f"stray: the document {name!r} of {library!r} is {actual.ids[library, name]}, and was {id_}"
        for (library, name), id_ in must.ids.items()
        if (library, name) in actual.documents and actual.ids[library, name] != id_
    ]


def _differences(must: Namespace, actual: Namespace) -> list[str]:
    lines: list[str] = []
    for library in must.libraries.keys() | actual.libraries.keys():
        old, new = must.libraries.get(library), actual.libraries.get(library)
        if old != new:
            kind = "stray" if old is None else "lost"
            lines.append(f"{kind}: the library {library!r} is {new}, and must be {old}")
    lines += _differing("document", must.documents, actual.documents)
    lines += _differing("chunk", must.chunks, actual.chunks)
    return lines


def _differing(what: str, must: Mapping[Key, Row], actual: Mapping[Key, Row]) -> Iterator[str]:
    for key in must.keys() | actual.keys():
        old, new = must.get(key), actual.get(key)
        named = f"the {what} {key[1]!r} of {key[0]!r}"
        if old == new:
            continue
        if new is None:
            yield f"lost: {named} must be {old}, and is not there"
        elif old is None or new.version > old.version:
            yield f"stray: {named} is {new}, and must be {old}"
        else:
            yield f"lost: {named} must be {old}, and is {new}"


def _positions(ledger: Ledger, record: Record, unplaced: list[Unplaced]) -> Iterator[str]:
    """Check that each position since the last look is one write's, and enter unplaced writes."""
    taken = {entry.position for entry in ledger.entries}
    holes = [p for p in range(ledger.position + 1, record.position + 1) if p not in taken]
    # Match the writes best identified by the log first; the others get the remaining positions.
    for one in sorted(unplaced, key=lambda one: len(one.named), reverse=True):
        if not holes:
            yield f"gap: {_named(one.write)} is there, and no position is left for it"
            return
        place = next((p for p in holes if one.matches_log_entry(record.log.get(p, "[]"))), holes[0])
        holes.remove(place)
        ledger.enter(Entry(one.write, place))
    if holes:
        yield f"gap: no write has the positions {holes[:_SHOWN]} (of {len(holes)})"
    if record.position < ledger.position:
        yield f"lost: the record is at {record.position}, and was at {ledger.position}"


def _log(ledger: Ledger, record: Record) -> Iterator[str]:
    """Check that the log is gapless, ends at the record's position, and names its versions."""
    if record.position == 0:
        return
    count, first, last = record.log_span
    if count != last - first + 1:
        yield f"gap: the log has {count} of the positions from {first} to {last}"
    if last != record.position:
        yield f"gap: the log ends at {last}, and the record is at {record.position}"
    for library, rows in record.rows.items():
        for id_, row in rows.items():
            if row.version in record.log and f'"{id_}"' not in record.log[row.version]:
                yield f"gap: the log does not name {id_!r} of {library!r} at {row.version}"


def _check_read(ledger: Ledger, history: History, record: Record, seen: Seen) -> Iterator[str]:
    """Check that a reader's view of a position equals the ledger's."""
    at = f"at {seen.position} in {seen.library!r}"
    if seen.position > record.position:
        yield f"lost: a reader was {at}, and the record is at {record.position}"
        return
    if seen.position < ledger.position:
        yield f"dirty: a reader was {at}, after a start at {ledger.position}"
        return
    if seen.writer is None:
        of_names = {name: history.versions(seen.library, writer_of(name)) for name in seen.versions}
        must = {name: versions[name] for name, versions in of_names.items() if name in versions}
    else:
        must = dict(history.versions(seen.library, seen.writer))
    if must != seen.versions:
        wrong = sorted(must.items() ^ seen.versions.items())[:_SHOWN]
        yield f"dirty: a reader was {at}, and saw wrongly (name, version) {wrong}"


def _named(write: Write, position: int | None = None) -> str:
    at = "" if position is None else f" at {position}"
    return f"write {write.number} ({write.kind} by writer {write.writer}){at}"
