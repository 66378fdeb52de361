"""Each kind of fault in a doctored record is found."""

import json
import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.crash.checks import settle
from tests.crash.ledger import Ack, ClientReports, Entry, Ledger, Seen
from tests.crash.model import Key, Kind, Namespace, Write, apply
from tests.crash.record import IndexedRow, Record
from tests.crash.requests import Chooser

WRITERS = (1, 2, 3)
BASE = 3
ACKNOWLEDGED = 60


def acks(count: int = ACKNOWLEDGED, seed: int = 5) -> tuple[list[Ack], dict[int, Namespace]]:
    """Return writes in order of position, and the resulting state."""
    rng = random.Random(seed)
    choosers = {writer: Chooser(writer, rng) for writer in WRITERS}
    namespaces = {writer: Namespace() for writer in WRITERS}
    made = []
    for number in range(count):
        writer = rng.choice(WRITERS)
        write = choosers[writer].next(number, namespaces[writer])
        apply(namespaces[writer], write, BASE + 1 + number)
        made.append(Ack(write, BASE + 1 + number, None, replayed=False))
    return made, namespaces


def recorded(namespaces: dict[int, Namespace], position: int) -> Record:
    return Record(position, {}, (position, 1, position), namespaces)


def whole() -> tuple[Ledger, ClientReports, Record]:
    made, namespaces = acks()
    return Ledger(BASE), ClientReports(acks=made), recorded(namespaces, BASE + ACKNOWLEDGED)


def named_chunk(namespace: Namespace) -> Key:
    return min(key for key in namespace.chunks if key[1].startswith("c"))


def a_pending(chunks: int = 3) -> Write:
    names = tuple(f"c1-999-{i}" for i in range(chunks))
    return Write(999, 1, Kind.PUT_DOCUMENT, "auto", "d1-999", names)


def with_pending(record: Record, write: Write) -> Record:
    """Return the record as it is if the write survived."""
    apply(record.namespaces[write.writer], write, record.position + 1)
    return recorded(record.namespaces, record.position + 1)


def kinds(faults: list[str]) -> set[str]:
    return {fault.partition(":")[0] for fault in faults}


@pytest.mark.parametrize("seed", range(5))
def test_a_record_of_all_that_was_acknowledged_is_right(seed: int) -> None:
    made, namespaces = acks(seed=seed)
    ledger = Ledger(BASE)
    position = BASE + ACKNOWLEDGED
    assert settle(ledger, ClientReports(acks=made[::-1]), recorded(namespaces, position)) == []
    assert ledger.position == position
    assert settle(ledger, ClientReports(), recorded(namespaces, position)) == []


def test_a_write_without_an_answer_may_be_there_or_not() -> None:
    ledger, reports, record = whole()
    reports.pending.append(a_pending())
    assert settle(ledger, reports, record) == []
    ledger, reports, record = whole()
    reports.pending.append(a_pending())
    assert settle(ledger, reports, with_pending(record, a_pending())) == []
    assert ledger.entries[-1].position == BASE + ACKNOWLEDGED + 1


def test_a_deletion_without_an_answer_may_be_there_and_finds_its_place() -> None:
    ledger, reports, record = whole()
    library, document = min(record.namespaces[1].documents)
    write = Write(999, 1, Kind.DELETE_DOCUMENT, library, document)
    reports.pending.append(write)
    assert settle(ledger, reports, with_pending(record, write)) == []
    assert ledger.entries[-1] == Entry(write, BASE + ACKNOWLEDGED + 1)


def test_deletions_without_an_answer_find_the_places_that_the_log_tells() -> None:
    ledger, reports, record = whole()
    end = record.position
    for place, writer in ((1, 2), (2, 1)):
        there = record.namespaces[writer]
        library, name = named_chunk(there)
        write = Write(900 + writer, writer, Kind.DELETE_CHUNK, library, "", (name,))
        reports.pending.append(write)
        apply(there, write, end + place)
        deleted = {"kind": "chunks_deleted", "library_id": library, "chunk_ids": [name]}
        record.log[end + place] = json.dumps([deleted])
    record.position, record.log_span = end + 2, (end + 2, 1, end + 2)
    assert settle(ledger, reports, record) == []
    places = {entry.write.writer: entry.position for entry in ledger.entries[-2:]}
    assert places == {2: end + 1, 1: end + 2}


def lose_a_chunk(record: Record) -> None:
    del record.namespaces[1].chunks[named_chunk(record.namespaces[1])]


def lose_a_document(record: Record) -> None:
    del record.namespaces[2].documents[min(record.namespaces[2].documents)]


def lose_an_edit(record: Record) -> None:
    chunks = record.namespaces[1].chunks
    key = named_chunk(record.namespaces[1])
    chunks[key] = replace(chunks[key], op=0, version=BASE)


def change_a_vector(record: Record) -> None:
    chunks = record.namespaces[1].chunks
    key = named_chunk(record.namespaces[1])
    chunks[key] = replace(chunks[key], vector=b"\0" * 64)


def forget_a_writer(record: Record) -> None:
    record.namespaces[3] = Namespace()


def go_back(record: Record) -> None:
    record.position -= 1
    record.log_span = (record.position, 1, record.position)


def add_a_chunk(record: Record) -> None:
    chunks = record.namespaces[1].chunks
    chunks["auto", "c1-5555-0"] = replace(chunks[named_chunk(record.namespaces[1])], op=5555)


def skip_a_position(record: Record) -> None:
    record.position += 1
    record.log_span = (record.position, 1, record.position)


def lose_a_line_of_the_log(record: Record) -> None:
    record.log_span = (record.position - 1, 1, record.position)


def end_the_log_early(record: Record) -> None:
    record.log_span = (record.position - 1, 1, record.position - 1)


@pytest.mark.parametrize(
    ("doctored", "kind"),
    [
        (lose_a_chunk, "lost"),
        (lose_a_document, "lost"),
        (lose_an_edit, "lost"),
        (change_a_vector, "lost"),
        (forget_a_writer, "lost"),
        (go_back, "lost"),
        (add_a_chunk, "stray"),
        (skip_a_position, "gap"),
        (lose_a_line_of_the_log, "gap"),
        (end_the_log_early, "gap"),
    ],
)
def test_what_is_missing_or_too_much_is_found(
    doctored: Callable[[Record], None], kind: str
) -> None:
    ledger, reports, record = whole()
    doctored(record)
    assert kind in kinds(settle(ledger, reports, record))
    assert ledger.position == BASE


@pytest.mark.parametrize("lost", ["document", "chunk"])
def test_half_a_write_is_found(lost: str) -> None:
    ledger, reports, record = whole()
    reports.pending.append(a_pending())
    record = with_pending(record, a_pending())
    if lost == "document":
        del record.namespaces[1].documents["auto", "d1-999"]
    else:
        del record.namespaces[1].chunks["auto", "c1-999-1"]
    assert kinds(settle(ledger, reports, record)) >= {"half"}


def test_half_a_deletion_is_found() -> None:
    ledger, reports, record = whole()
    there = record.namespaces[1]
    library, _ = named_chunk(there)
    gone = [key for key in there.chunks if key[0] == library and key[1].startswith("c")][:2]
    names = tuple(name for _, name in gone)
    reports.pending.append(Write(999, 1, Kind.DELETE_CHUNKS, library, "", (*names, *names)))
    del there.chunks[gone[0]]
    assert len(gone) == 2
    assert settle(ledger, reports, recorded(record.namespaces, record.position + 1))


def test_two_versions_of_one_write_are_half_of_it() -> None:
    ledger, reports, record = whole()
    reports.pending.append(a_pending())
    record = with_pending(record, a_pending())
    chunks = record.namespaces[1].chunks
    chunks["auto", "c1-999-1"] = replace(chunks["auto", "c1-999-1"], version=2)
    assert "half" in kinds(settle(ledger, reports, record))


def test_a_refused_write_that_is_there_is_a_stray() -> None:
    ledger, reports, record = whole()
    reports.refused.append(a_pending())
    assert kinds(settle(ledger, reports, with_pending(record, a_pending()))) >= {"stray", "gap"}


def test_a_survivor_behind_a_lost_one_is_found() -> None:
    """The survivors are no prefix: positions between them have no write."""
    ledger, reports, record = whole()
    reports.pending.append(a_pending())
    apply(record.namespaces[1], a_pending(), record.position + 2)
    faults = settle(ledger, reports, recorded(record.namespaces, record.position + 2))
    assert kinds(faults) == {"gap"}


def test_two_writes_at_one_position_are_found() -> None:
    ledger, reports, record = whole()
    reports.acks[7] = replace(reports.acks[7], position=reports.acks[8].position)
    assert "gap" in kinds(settle(ledger, reports, record))


def test_a_retry_that_is_carried_out_again_is_found() -> None:
    ledger, reports, record = whole()
    reports.acks.append(replace(reports.acks[0], position=record.position + 1))
    assert "twice" in kinds(
        settle(ledger, reports, recorded(record.namespaces, record.position + 1))
    )


def test_a_retry_that_is_answered_as_before_is_right() -> None:
    ledger, reports, record = whole()
    assert settle(ledger, reports, record) == []
    again = ClientReports(acks=[replace(reports.acks[0], replayed=True)])
    assert settle(ledger, again, record) == []


def test_an_answer_as_before_to_what_had_not_been_there_is_found() -> None:
    ledger, reports, record = whole()
    reports.acks[-1] = replace(reports.acks[-1], replayed=True)
    assert kinds(settle(ledger, reports, record)) == {"twice"}


def test_a_log_that_does_not_name_what_it_put_is_found() -> None:
    ledger, reports, record = whole()
    row = IndexedRow("d", "", "", {}, record.position, b"")
    record.rows["auto"] = {"c": row}
    record.log[record.position] = '{"chunk_ids": ["another"]}'
    assert kinds(settle(ledger, reports, record)) == {"gap"}


def test_what_readers_see_is_compared_with_each_position() -> None:
    ledger, reports, record = whole()
    write = reports.acks[0].write
    seen = dict.fromkeys(write.chunks, BASE + 1)
    reports.seen = [
        Seen(BASE, write.library, write.writer, {}),
        Seen(BASE + 1, write.library, write.writer, seen),
        Seen(BASE + 1, write.library, None, dict(list(seen.items())[:1])),
    ]
    assert settle(ledger, reports, record) == []


def test_a_reader_that_saw_deleted_or_unwritten_rows_is_reported() -> None:
    made, _ = acks()
    write = made[0].write
    partly = dict.fromkeys(write.chunks[1:], BASE + 1)
    for seen, kind in [
        (Seen(BASE + 1, write.library, write.writer, partly), "dirty"),
        (Seen(BASE + 1, write.library, None, {"c1-999-0": BASE + 1}), "dirty"),
        (Seen(BASE, write.library, None, {write.chunks[0]: BASE + 1}), "dirty"),
        (Seen(BASE - 1, write.library, None, {}), "dirty"),
        (Seen(BASE + ACKNOWLEDGED + 1, write.library, None, {}), "lost"),
    ]:
        ledger, reports, record = whole()
        reports.seen = [seen]
        assert kinds(settle(ledger, reports, record)) == {kind}


def test_an_answer_that_no_healthy_server_gives_is_a_fault() -> None:
    ledger, reports, record = whole()
    reports.wrong.append("404 for what is there")
    assert kinds(settle(ledger, reports, record)) == {"wrong"}


def test_a_ledger_can_go_back_to_an_earlier_position() -> None:
    ledger, reports, record = whole()
    settle(ledger, reports, record)
    ledger.rewind(BASE + 20)
    _, namespaces = acks(20)
    assert settle(ledger, ClientReports(), recorded(namespaces, BASE + 20)) == []
