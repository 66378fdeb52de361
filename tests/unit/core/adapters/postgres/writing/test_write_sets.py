"""Statements of write sets."""

from typing import cast

from core.adapters.postgres.connections.statements import Statement
from core.adapters.postgres.writing.write_sets import _MAX_ROWS, ChunkPut, Write, to_statements
from core.domain.document import EmbeddedChunk
from tests.samples import a_row

OTHER = Statement(b"DELETE FROM documents WHERE id = %s", ("d",))


def put(*rows: EmbeddedChunk) -> ChunkPut:
    return ChunkPut.of(rows)


def columns_of(statement: Statement) -> list[list[object]]:
    return [cast("list[object]", column) for column in statement.bindings]


def ids_of(*writes: Write) -> list[list[object] | Statement]:
    """Return the ids of each put's rows, and the other statements."""
    return [s if s is OTHER else columns_of(s)[0] for s in to_statements(writes)]


def test_consecutive_puts_become_one_statement() -> None:
    assert ids_of(put(a_row("a")), put(a_row("b"), a_row("c"))) == [["a", "b", "c"]]


def test_a_put_does_not_pass_another_statement() -> None:
    assert ids_of(put(a_row("a")), OTHER, put(a_row("b")), OTHER) == [["a"], OTHER, ["b"], OTHER]


def test_nothing_is_no_statement() -> None:
    assert ids_of() == []


def test_the_last_row_of_a_key_is_put() -> None:
    first, last = a_row("a", text="first"), a_row("a", text="last")
    for writes in ([put(first), put(last)], [put(first, last)]):
        (statement,) = to_statements(writes)
        assert ["last"] in columns_of(statement)


def test_an_id_in_two_libraries_is_two_rows() -> None:
    assert ids_of(put(a_row("a")), put(a_row("a", library_id="other"))) == [["a", "a"]]


def test_a_statement_ends_after_so_many_rows() -> None:
    half = [a_row(f"{i}") for i in range(_MAX_ROWS // 2)]
    rest = [a_row(f"rest {i}") for i in range(_MAX_ROWS // 2)]
    statements = to_statements([put(*half), put(*rest), put(a_row("x"))])
    assert [len(columns_of(statement)[0]) for statement in statements] == [_MAX_ROWS, 1]
