"""The documentation of the running Python, read by a real process."""

import platform

import pytest

from cli.demo import corpus, stdlib
from cli.demo.stdlib import Entry
from core.domain.ids import check_id

MAX_CHUNKS_A_REQUEST = 1000


@pytest.fixture(scope="module")
def entries() -> list[Entry]:
    return corpus.read()


@pytest.fixture(scope="module")
def documents(entries: list[Entry]) -> list[corpus.Document]:
    return list(corpus.documents(entries))


def test_it_has_what_people_look_for(entries: list[Entry]) -> None:
    kinds = {entry.name: entry.kind for entry in entries}
    assert kinds["subprocess"] == "module"
    assert kinds["subprocess.run"] == "function"
    assert kinds["pathlib.Path"] == "class"
    assert kinds["pathlib.Path.read_text"] == "method"
    assert kinds["concurrent.futures"] == "module"
    assert kinds["builtins.str.split"] == "method"
    assert len(entries) > 3000


def test_signatures_are_as_one_would_write_them(entries: list[Entry]) -> None:
    signatures = {entry.name: entry.signature for entry in entries}
    assert "timeout=None" in signatures["subprocess.run"]
    assert not [said for said in signatures.values() if " at 0x" in said or "<object" in said]


def test_toys_tests_and_private_names_are_left_out(entries: list[Entry]) -> None:
    parts = {part for entry in entries for part in entry.name.split(".")}
    assert parts.isdisjoint({"antigravity", "this", "idlelib", "tests", "turtledemo"})
    assert not [entry.module for entry in entries if entry.module.startswith(("_", "test."))]


def test_names_come_once_and_module_by_module(
    entries: list[Entry], documents: list[corpus.Document]
) -> None:
    assert len({entry.name for entry in entries}) == len(entries)
    assert len({document.title for document in documents}) == len(documents)


def test_each_chunk_stands_alone(documents: list[corpus.Document]) -> None:
    for document in documents:
        for chunk in document.chunks:
            head, _, rest = chunk.text.partition("\n\n")
            said = chunk.metadata
            assert head == said["name"] + said.get("signature", "")
            assert rest.strip()
            assert said["module"] == document.title
            assert said["python"] == platform.python_version()


def test_metadata_is_what_the_library_allows(documents: list[corpus.Document]) -> None:
    fields = corpus.METADATA_SCHEMA["fields"]
    required = {name for name, rule in fields.items() if rule.get("required")}
    for document in documents:
        for chunk in document.chunks:
            assert required <= chunk.metadata.keys() <= fields.keys()
            assert chunk.metadata["kind"] in fields["kind"]["enum"]


def test_ids_are_unique_and_fit_a_url(documents: list[corpus.Document]) -> None:
    ids = [chunk.id for document in documents for chunk in document.chunks]
    assert len(set(ids)) == len(ids)
    for value in [*ids, *(document.id for document in documents)]:
        assert check_id(value, "/id") == value


def test_no_module_is_more_than_one_request(documents: list[corpus.Document]) -> None:
    assert max(len(document.chunks) for document in documents) <= MAX_CHUNKS_A_REQUEST


def test_another_reading_says_the_same(documents: list[corpus.Document]) -> None:
    assert list(corpus.documents(corpus.read())) == documents


def test_a_reader_that_fails_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stdlib, "__file__", "/nowhere/stdlib.py")
    with pytest.raises(corpus.CorpusUnreadable, match="could not be read"):
        corpus.read()
