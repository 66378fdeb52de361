"""Failing imports: their messages and the remaining state."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nalanda import ConnectionFailed, Document, Nalanda
from nalanda._sync.documents import Documents
from nalanda._sync.libraries import Libraries
from tests.integration.cli.conftest import Run
from tests.signals import handled

TOO_MANY = {str(i): i for i in range(10_001)}
"""More keys than the server accepts in an object; the import does not count them."""


def rows(count: int, **columns: Any) -> pa.Table:
    """Return documents of one chunk each."""
    ids = [f"c{i}" for i in range(count)]
    made = {
        "id": ids,
        "text": [f"text {i}" for i in range(count)],
        "document_id": [f"d{i}" for i in range(count)],
        "embedding": [[1.0, float(i)] for i in range(count)],
    }
    return pa.table({**made, **columns})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "x.parquet"


@pytest.fixture
def refused(file: Path) -> Path:
    """Return a file whose fifth row the server refuses, in a batch of three of one document."""
    documents = ["d0", "d1", "d2", "d2", "d2", "d3"]
    metadata = [json.dumps(TOO_MANY if i == 4 else {}) for i in range(6)]
    pq.write_table(rows(6, document_id=documents, metadata=metadata), file)
    return file


Break = Callable[[Exception | signal.Signals, int], None]


@pytest.fixture
def breaking(monkeypatch: pytest.MonkeyPatch) -> Break:
    """Return a function that raises an error or signal after a number of document requests."""

    def break_(error: Exception | signal.Signals, after: int) -> None:
        real, calls = Documents.replace, []

        def replace(self: Documents, *args: Any, **options: Any) -> Document:
            calls.append(args)
            if len(calls) == after + 1 and isinstance(error, signal.Signals):
                signal.raise_signal(error)
            if len(calls) > after and isinstance(error, Exception):
                raise error
            return real(self, *args, **options)

        monkeypatch.setattr(Documents, "replace", replace)

    return break_


def test_a_refusal_is_named_by_its_row_and_the_library_goes(
    client: Nalanda, run: Run, refused: Path
) -> None:
    said = run("import", refused, "-l", "made", status=1)
    assert said.startswith(f"nalanda: {refused}: row 5: metadata")
    assert "This must have at most 10000 members." in said
    assert said.endswith("Nothing was imported.\n")
    assert said.count("\n") == 1
    assert list(client.libraries.list()) == []


def test_a_refusal_by_a_library_that_was_there_says_how_far_it_came(
    client: Nalanda, run: Run, refused: Path
) -> None:
    client.libraries.create("there", dimension=2)
    client.documents.replace("there", "own")
    said = run("import", refused, "-l", "there", status=1)
    assert "row 5: metadata" in said
    assert "Documents done before: 2 added, 0 changed, 0 unchanged. Run the import" in said
    assert {document.id for document in client.documents.list("there")} == {"own", "d0", "d1"}


def test_a_fault_in_the_last_row_changes_nothing(client: Nalanda, run: Run, file: Path) -> None:
    schema = {"fields": {"year": {"type": "integer"}}}
    client.libraries.create("there", dimension=2, metadata_schema=schema)
    client.documents.replace("there", "d0", title="Old")
    before = list(client.documents.list("there"))
    pq.write_table(rows(1_500, metadata=["{}"] * 1_499 + ['{"year": "1"}']), file)
    said = run("import", file, "-l", "there", status=1)
    assert said == f"nalanda: {file}: row 1500: metadata/year: This field is an integer.\n"
    assert list(client.documents.list("there")) == before


def test_a_chunk_id_that_another_document_has(client: Nalanda, run: Run, file: Path) -> None:
    client.libraries.create("there", dimension=2)
    taken: Any = {"id": "c1", "text": "t", "embedding": [1.0, 1.0]}
    client.documents.replace("there", "other", chunks=[taken])
    pq.write_table(rows(3, document_id=["d"] * 3), file)
    said = run("import", file, "-l", "there", status=1)
    assert "row 2: id: The library has a chunk 'c1' already. Choose another id." in said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("after", [0, 1])
def test_an_interruption_leaves_no_library(
    client: Nalanda,
    run: Run,
    file: Path,
    breaking: Break,
    after: int,
    number: signal.Signals,
) -> None:
    pq.write_table(rows(3), file)
    breaking(number, after)
    with handled(number):
        before = signal.getsignal(number)
        said = run("import", file, "-l", "made", status=130)
        assert signal.getsignal(number) == before
    assert said == "nalanda: Interrupted. Nothing was imported.\n"
    assert list(client.libraries.list()) == []


def test_another_ctrl_c_does_not_keep_the_library(
    client: Nalanda, run: Run, file: Path, breaking: Break, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Libraries.delete

    def delete(*args: Any) -> None:
        signal.raise_signal(signal.SIGINT)
        real(*args)

    pq.write_table(rows(3), file)
    breaking(signal.SIGINT, 1)
    with monkeypatch.context() as patch:
        patch.setattr(Libraries, "delete", delete)
        run("import", file, "-l", "made", status=130)
    assert list(client.libraries.list()) == []


def test_an_interruption_while_the_library_is_made_leaves_none(
    client: Nalanda, run: Run, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Libraries.replace

    def replace(self: Libraries, *args: Any, **options: Any) -> None:
        real(self, *args, **options)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Libraries, "replace", replace)
    pq.write_table(rows(3), file)
    run("import", file, "-l", "made", status=130)
    assert list(client.libraries.list()) == []


def test_an_interruption_says_how_far_it_came(
    client: Nalanda, run: Run, file: Path, breaking: Break, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.libraries.create("there", dimension=2)
    pq.write_table(rows(3), file)
    breaking(signal.SIGINT, 1)
    said = run("import", file, "-l", "there", status=130)
    assert said.startswith("nalanda: Interrupted. Documents done before: 1 added, 0 changed")


def test_a_library_that_can_t_be_removed_is_named(
    client: Nalanda, run: Run, file: Path, breaking: Break, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> None:
        raise ConnectionFailed("it has gone")

    pq.write_table(rows(3), file)
    breaking(ConnectionFailed("it has gone"), 1)
    with monkeypatch.context() as patch:
        patch.setattr(Libraries, "delete", gone)
        said = run("import", file, "-l", "made", status=1)
    assert "The library made, created by this import, could not be removed (it has gone)." in said
    assert "`nalanda library delete made`" in said


def test_a_bug_leaves_no_library_either(
    client: Nalanda, run: Run, file: Path, breaking: Break
) -> None:
    pq.write_table(rows(3), file)
    breaking(ZeroDivisionError(), 1)
    with pytest.raises(ZeroDivisionError):
        run("import", file, "-l", "made")
    assert list(client.libraries.list()) == []


def test_a_file_that_is_cut_off(client: Nalanda, run: Run, file: Path) -> None:
    pq.write_table(rows(100), file)
    content = file.read_bytes()
    for length in (4, 100, len(content) // 2, len(content) - 1):
        file.write_bytes(content[:length])
        said = run("import", file, "-l", "made", status=1)
        assert f"{file} is not a Parquet file, or is damaged: " in said
        assert said.count("\n") == 1
    file.write_bytes(b"")
    assert run("import", file, "-l", "made", status=1) == f"nalanda: {file} is empty.\n"


def test_a_column_whose_name_is_damaged(client: Nalanda, run: Run, file: Path) -> None:
    pq.write_table(rows(2), file, store_schema=False)
    file.write_bytes(file.read_bytes().replace(b"document_id", b"document\xffid"))
    assert "is not a Parquet file, or is damaged" in run("import", file, "-l", "made", status=1)


@pytest.mark.parametrize("compression", ["none", "snappy", "zstd"])
def test_damage_in_a_later_row_group_leaves_nothing(
    client: Nalanda, run: Run, file: Path, compression: str
) -> None:
    pq.write_table(rows(30), file, row_group_size=10, compression=compression)
    column = pq.read_metadata(file).row_group(1).column(1)
    content = bytearray(file.read_bytes())
    start = column.dictionary_page_offset or column.data_page_offset
    content[start : start + 30] = b"\xff" * 30
    file.write_bytes(content)
    said = run("import", file, "-l", "made", status=1)
    assert said.startswith(f"nalanda: {file}: the rows after 10 (in row group 2) can't be read: ")
    assert said.count("\n") == 1
    assert list(client.libraries.list()) == []


def test_a_column_twice(client: Nalanda, run: Run, file: Path) -> None:
    table = rows(2)
    pq.write_table(table.append_column("text", table["text"]), file)
    said = run("import", file, "-l", "made", status=1)
    assert said == f"nalanda: {file} has the column text twice: leave one of them out.\n"


def test_other_columns_are_named(client: Nalanda, run: Run, file: Path) -> None:
    table = rows(2, year=[1, 2], lang=["a", "b"])
    pq.write_table(table.append_column("year", table["year"]), file)
    said = run("import", file, "-l", "made", status=0)
    assert said == (
        "Unknown fields, not imported: year, lang. Move them into metadata to keep them.\n"
        "Library made: 2 added, 0 changed, 0 unchanged.\n"
    )


def test_rows_that_name_no_document_are_one_of_the_file(
    client: Nalanda, run: Run, tmp_path: Path
) -> None:
    file = tmp_path / "Notes.PARQUET"
    pq.write_table(rows(1_200).select(["text", "embedding"]), file)
    assert "1 added" in run("import", file, "-l", "made", status=0)
    [document] = client.documents.list("made")
    assert (document.title, document.source) == ("Notes", file.as_uri())
    listed = client.chunks.list("made", document_id=document.id)
    assert [chunk.text for chunk in listed] == [f"text {i}" for i in range(1_200)]
    assert "1 unchanged" in run("import", file, "-l", "made", status=0)


def test_a_file_whose_name_is_no_text(client: Nalanda, run: Run, tmp_path: Path) -> None:
    file = tmp_path / os.fsdecode(b"x\xff.jsonl")
    file.write_text('{"text": "t"}\n')
    assert "1 added" in run("import", file, "-l", "made", status=0)
    [document] = client.documents.list("made")
    assert document.title == "x?"


def test_a_hang_up_under_nohup_is_no_interruption(
    client: Nalanda, run: Run, file: Path, breaking: Break
) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    pq.write_table(rows(3), file)
    breaking(signal.SIGHUP, 1)
    try:
        run("import", file, "-l", "made", status=0)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_table_without_rows(client: Nalanda, run: Run, file: Path) -> None:
    pq.write_table(rows(2).slice(0, 0), file)
    assert "0 added" in run("import", file, "-l", "made", status=0)


def test_a_folder_in_place_of_a_file(client: Nalanda, run: Run, tmp_path: Path) -> None:
    for name in ("x.parquet", "x.jsonl"):
        (tmp_path / name).mkdir()
        said = run("import", tmp_path / name, "-l", "made", status=1)
        assert said == f"nalanda: {tmp_path / name}: Is a directory\n"
        assert list(client.libraries.list()) == []


def test_a_number_that_changes_its_type_is_a_change(client: Nalanda, run: Run, file: Path) -> None:
    for metadata in ('{"a": 1}', '{"a": true}', '{"a": 1.0}'):
        pq.write_table(rows(1, metadata=[metadata]), file)
        assert "0 unchanged" in run("import", file, "-l", "made", status=0)
