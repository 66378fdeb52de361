"""`nalanda import` of other tools' JSON Lines: imported, or refused by line."""

import gzip
import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nalanda import Nalanda
from tests.integration.cli.conftest import Run

VECTOR = [1.0, 0.5]
HEADER = {"kind": "library", "format": 1, "name": "x", "settings": {"dimension": 2}}
DOCUMENT = {"kind": "document", "id": "d", "title": "Déjà", "metadata": {"n": 1}}
CHUNK = {
    "kind": "chunk",
    "id": "c",
    "document_id": "d",
    "text": "tëxt",
    "metadata": {"year": 1},
    "embedding": VECTOR,
}


def line(record: dict[str, Any], **changed: Any) -> str:
    return json.dumps({**record, **changed}, ensure_ascii=False) + "\n"


def lines(header: dict[str, Any] = HEADER, *, document: Any = None, **chunk: Any) -> str:
    """Return a header, a document and two chunks, the second with these fields."""
    document = {**DOCUMENT, **(document or {})}
    return line(header) + line(document) + line(CHUNK) + line(CHUNK, **{"id": "e", **chunk})


def without(record: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name not in names}


LINES = lines()
PACKED = b64encode(np.array(VECTOR, "<f4").tobytes()).decode()

IMPORTED: dict[str, bytes] = {
    "as they are": LINES.encode(),
    "no header": LINES.partition("\n")[2].encode(),
    "blank lines": ("\n\n" + LINES.replace("\n", "\n  \n\t\n")).encode(),
    "no newline at the end": LINES.rstrip().encode(),
    "CRLF": LINES.replace("\n", "\r\n").encode(),
    "a byte order mark": LINES.encode("utf-8-sig"),
    "UTF-16": LINES.encode("utf-16"),
    "UTF-16 without a mark": LINES.encode("utf-16-be"),
    "UTF-32": LINES.encode("utf-32"),
    "gzip": gzip.compress(LINES.encode()),
    "escapes": LINES.encode("ascii", "backslashreplace").replace(b"\\x", b"\\u00"),
    "the embedding in base64": lines(embedding=PACKED).encode(),
    "the embedding as JSON": lines(embedding="[1, 0.5]").encode(),
    "the metadata as JSON": lines(metadata='{"year": 1}').encode(),
    "an ordinal": lines(ordinal=3).encode(),
    "an ordinal null": lines(ordinal=None).encode(),
    "an ordinal NaN": lines(ordinal=float("nan")).encode(),
    "nulls": lines(document={"source": None}, ordinal=None).encode(),
    "a title of NaN": lines(document={"source": float("nan")}).encode(),
    "documents last": "".join(LINES.splitlines(keepends=True)[i] for i in (0, 2, 3, 1)).encode(),
    "settings of another server": lines(
        {**HEADER, "settings": {"dimension": 2, "id": "l", "name": "other", "metadata": None}}
    ).encode(),
}


@pytest.mark.parametrize("name", ["x.jsonl", "X.NDJSON", "x.jsonl.gz"])
@pytest.mark.parametrize("content", IMPORTED.values(), ids=IMPORTED)
def test_a_shape_is_imported(
    client: Nalanda, run: Run, tmp_path: Path, content: bytes, name: str
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    said = run("import", file, "-l", "made", status=0)
    assert said == "Library made: 1 added, 0 changed, 0 unchanged.\n"
    document = client.documents.get("made", "d")
    assert (document.title, document.source, document.metadata) == ("Déjà", None, {"n": 1})
    chunks = list(client.chunks.list("made", document_id="d", include=["embedding"]))
    assert {chunk.id for chunk in chunks} == {"c", "e"}
    for chunk in chunks:
        assert (chunk.text, chunk.metadata) == ("tëxt", {"year": 1})
        assert list(chunk.embedding or ()) == VECTOR
    assert "1 unchanged" in run("import", file, "-l", "made", status=0)


def test_chunks_without_ids_and_embeddings(client: Nalanda, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "x.jsonl"
    bare = without(CHUNK, "id", "embedding", "metadata")
    file.write_text(line(DOCUMENT) + line(bare, text="b") + line(bare, text="a"))
    assert "1 added" in run("import", file, "-l", "made", status=0)
    chunks = list(client.chunks.list("made", document_id="d"))
    assert [chunk.text for chunk in chunks] == ["b", "a"]
    assert "1 unchanged" in run("import", file, "-l", "made", status=0)
    assert list(client.chunks.list("made", document_id="d")) == chunks


def test_rows_of_a_table(client: Nalanda, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "Rows.jsonl"
    row = {"text": "t", "embedding": VECTOR, "metadata": {"a": None}, "label": 1}
    file.write_text(
        "".join(line(row, id=n, document_id=n // 2, document_title="T") for n in range(5))
    )
    assert run("import", file, "-l", "made", status=0) == (
        "Unknown fields, not imported: label. Move them into metadata to keep them.\n"
        "Library made: 3 added, 0 changed, 0 unchanged.\n"
    )
    documents = {document.id: document.title for document in client.documents.list("made")}
    assert documents == dict.fromkeys("012", "T")
    assert [chunk.metadata for chunk in client.chunks.list("made")] == [{"a": None}] * 5
    file.write_text("".join(line(row) for _ in range(3)))
    assert "1 added" in run("import", file, "-l", "bare", status=0)
    [document] = client.documents.list("bare")
    assert (document.title, document.source) == ("Rows", file.as_uri())


DEEP = '{"kind": "document", "id": "d", "metadata": ' + '{"a":' * 100_000 + "\n"

REFUSED: dict[str, tuple[bytes, str]] = {
    "blank": (b" \n\n", "x.jsonl is empty"),
    "another tool's": (
        line({"page_content": "t", "type": "Document"}).encode(),
        "row with a text (its fields: page_content, type): rename the field",
    ),
    "a row without a text": (line({"text": "t"}).encode() + b"{}\n", "line 2: text: This field is"),
    "a row without a document": (
        (line({"text": "t", "document_id": "d"}) + line({"text": "t"})).encode(),
        "line 2: document_id: This field is missing. Each line must name its document",
    ),
    "a row with a document": (
        (line({"text": "t"}) + line({"text": "t", "document_id": "d"})).encode(),
        "line 2: document_id: line 1 names no document: name one in all of them or in none",
    ),
    "rows with two titles": (
        "".join(
            line({"text": "t", "document_id": 7, "document_title": title}) for title in "aab"
        ).encode(),
        "line 3: document_title: line 1 has another value for the document '7'",
    ),
    "format a string": (
        lines({**HEADER, "format": "1"}).encode(),
        "line 1: format: This must be th",
    ),
    "format null": (
        lines({**HEADER, "format": None}).encode(),
        "line 1: format: This must be the",
    ),
    "settings a list": (
        lines({**HEADER, "settings": [1]}).encode(),
        "line 1: settings: This must be",
    ),
    "settings wrong": (
        lines({**HEADER, "settings": {"dimension": "2"}}).encode(),
        "refuses the library's settings in line 1: dimension: ",
    ),
    "a header in the middle": (
        (LINES + line(HEADER)).encode(),
        "line 5: kind: This must be `doc",
    ),
    "no kind": ((LINES + line({"id": "f"})).encode(), "line 5: kind: This must be `document`"),
    "a list": ((LINES + "[]\n").encode(), "line 5 must be a JSON object"),
    "cut off": (LINES.encode()[:-20], "line 4: This must be JSON"),
    "cut off in gzip": (gzip.compress(LINES.encode())[:-20], "gzip file is damaged or cut off"),
    "Latin-1": (LINES.encode("latin-1"), "line 2 is not UTF-8 text"),
    "UTF-16 cut off": (LINES.encode("utf-16")[:-1], "is not UTF-16"),
    "UTF-8 of a surrogate": (
        LINES.encode().replace("ë".encode(), b"\xed\xa0\x80"),
        "line 3 is not UTF-8 text",
    ),
    "a surrogate": (
        LINES.replace("ë", "\\udc80").encode(),
        "line 3: text: Half of a surrogate pair",
    ),
    "a surrogate in a key": (
        LINES.replace('"year"', '"\\ud800"').encode(),
        "line 3: metadata: Half of a surrogate pair",
    ),
    "too deep": ((LINES + DEEP).encode(), "line 5: Metadata must have at most"),
    "a key twice": (
        LINES.replace('"id": "e"', '"id": "e", "id": "f"').encode(),
        "line 4: This must be JSON: the key 'id' occurs twice in an object",
    ),
    "a document twice": (
        (LINES + line(DOCUMENT)).encode(),
        "line 5: id: line 2 already has the document 'd'",
    ),
    "a document without an id": (
        (LINES + line(without(DOCUMENT, "id"))).encode(),
        "line 5: id: This field is missing",
    ),
    "a chunk twice": ((LINES + line(CHUNK)).encode(), "line 5: id: line 3 already has the id 'c'"),
    "a chunk of no document": (
        lines(document_id="x").encode(),
        "line 4: document_id: The file has no d",
    ),
    "a chunk without a document": (
        lines(document_id=None).encode(),
        "line 4: document_id: This field",
    ),
    "a chunk without a text": (lines(text=None).encode(), "line 4: text: This field is missing"),
    "a text that is a number": (
        lines(text=7).encode(),
        "line 4: text: This must be a string, not",
    ),
    "an ordinal that is a string": (
        lines(ordinal="1").encode(),
        "line 4: ordinal: This must be an",
    ),
    "an ordinal beyond 64 bits": (
        lines(ordinal=2**63).encode(),
        "line 4: ordinal: An ordinal must",
    ),
    "an ordinal beyond float64": (
        lines(ordinal=10**400).encode(),
        "line 4: ordinal: An ordinal must",
    ),
    "an id beyond float64": (lines(id=10**400).encode(), "line 4: id: An id must have 1 to 128"),
    "place a name": (lines(place="Paris").encode(), "line 4: place: This must be JSON: Exp"),
    "place with another field": (
        lines(place={"page": 1, "city": "Paris"}).encode(),
        "line 4: place/city: Extra inputs are not permitted.",
    ),
    "place before the first line": (
        lines(place={"line": 0}).encode(),
        "line 4: place/line: Input should be greater than or equal to 1.",
    ),
    "metadata a list": (
        lines(metadata=[1]).encode(),
        "line 4: metadata: This must be a JSON objec",
    ),
    "metadata with NaN": (
        lines(metadata={"a": [float("nan")]}).encode(),
        "line 4: metadata/a/0: A n",
    ),
    "metadata with infinity": (
        lines(metadata={"a": 7}).replace("7}", "1e999}").encode(),
        "line 4: metadata/a: A number must be finite, not inf",
    ),
    "metadata beyond 64 bits": (
        lines(metadata={"a": 2**64}).encode(),
        "line 4: metadata/a: An integ",
    ),
    "a number of 5,000 digits": (
        lines(metadata={"a": 7}).replace("7}", "7" * 5_000 + "}").encode(),
        "line 4: This must be JSON: Exceeds the limit",
    ),
    "an embedding with a string": (
        lines(embedding=[1, "2"]).encode(),
        "line 4: embedding/1: An emb",
    ),
    "an embedding with true": (
        lines(embedding=[1, True]).encode(),
        "line 4: embedding/1: An embedd",
    ),
    "an embedding with NaN": (
        lines(embedding=[1, float("nan")]).encode(),
        "line 4: embedding/1: An ",
    ),
    "an embedding with null": (
        lines(embedding=[1, None]).encode(),
        "line 4: embedding/1: An embedd",
    ),
    "an embedding of another length": (
        lines(embedding=[1]).encode(),
        "line 4: embedding: The librar",
    ),
    "an embedding that is no base64": (
        lines(embedding="é").encode(),
        "line 4: embedding: This is not",
    ),
    "an embedding that is missing": (
        lines(embedding=None).encode(),
        "line 4: embedding: This field is",
    ),
    "an embedding that is an object": (
        lines(embedding={}).encode(),
        "line 4: embedding: This must be",
    ),
    "an embedding of zeros": (
        lines(embedding=[0, 0]).encode(),
        "line 4: embedding: A zero vector ha",
    ),
    "an embedding out of range": (
        lines(embedding=[1e20, 0]).encode(),
        "line 4: embedding: The lengt",
    ),
}


@pytest.mark.parametrize(("content", "said"), REFUSED.values(), ids=REFUSED)
def test_a_shape_is_refused_in_one_line_and_leaves_nothing(
    client: Nalanda, run: Run, tmp_path: Path, content: bytes, said: str
) -> None:
    file = tmp_path / "x.jsonl"
    file.write_bytes(content)
    answer = run("import", file, "-l", "made", status=1)
    assert said in answer
    assert answer.startswith("nalanda: ")
    assert str(file) in answer
    assert answer.count("\n") == 1
    assert list(client.libraries.list()) == []
