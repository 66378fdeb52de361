"""`nalanda import` of other tools' Parquet: imported, or refused by row and column."""

import json
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nalanda import Nalanda
from tests.integration.cli.conftest import Run

IDS = ["a", "b", "c"]
TEXTS = ["one", "two", "three"]
VECTORS = [[1.0, 0.5], [0.25, -1.0], [2.0, 4.0]]
UUIDS = [str(UUID(int=n << 100)) for n in (1, 2, 3)]
UUID_ARRAY = pa.ExtensionArray.from_storage(
    pa.uuid(), pa.array([UUID(id_).bytes for id_ in UUIDS], pa.binary(16))
)
PACKED = [np.array(vector, "<f4").tobytes() for vector in VECTORS]
FLOATS = pa.list_(pa.float32())
HEADER = {"format": 1, "name": "x", "settings": {"dimension": 2, "metric": "l2"}}
YEAR = {"fields": {"year": {"type": "integer"}}}


def table(header: object = HEADER, **columns: Any) -> pa.Table:
    """Return a table of a document's three chunks; `None` omits a column."""
    base = {
        "id": IDS,
        "text": TEXTS,
        "document_id": ["d"] * 3,
        "embedding": pa.array(VECTORS, FLOATS),
    }
    shown = {name: column for name, column in {**base, **columns}.items() if column is not None}
    made = pa.table(shown)
    return made.replace_schema_metadata(None if header is None else {"nalanda": json.dumps(header)})


def typed(values: list[Any], type_: Any) -> Any:
    return pa.array(values, type_)


def shape(client: Nalanda, library: str) -> dict[str, Any]:
    """Return the values of the table's columns, and the documents' ids."""
    chunks = [
        chunk
        for document in client.documents.list(library)
        for chunk in client.chunks.list(library, document_id=document.id, include=["embedding"])
    ]
    return {
        "id": [chunk.id for chunk in chunks],
        "text": [chunk.text for chunk in chunks],
        "metadata": [chunk.metadata for chunk in chunks],
        "embedding": [list(chunk.embedding or ()) for chunk in chunks],
        "document_id": [chunk.document_id for chunk in chunks],
    }


PLAIN = {
    "id": IDS,
    "text": TEXTS,
    "metadata": [{}] * 3,
    "embedding": VECTORS,
    "document_id": ["d"] * 3,
}
MOMENT = datetime(2026, 1, 31, 12, 0, 0, 123456)  # noqa: DTZ001 - as pandas has most
STRUCTS = [{"year": 1, "tag": None}, {"year": None, "tag": {"x": [1, 2]}}, None]
OBJECTS = [{"year": 1}, {"tag": {"x": [1, 2]}}, {}]


def metadata(value: Any, type_: Any, expected: Any) -> tuple[pa.Table, dict[str, Any]]:
    column = typed([{"x": value}] * 3, pa.struct([("x", type_)]))
    return table(metadata=column), {"metadata": [{"x": expected}] * 3}


IMPORTED: dict[str, tuple[pa.Table, dict[str, Any]]] = {
    "without a header": (table(None), {}),
    "ordinal null": (table(ordinal=typed([None] * 3, pa.int64())), {}),
    "ordinal of type null": (table(ordinal=pa.nulls(3)), {}),
    "ordinal partly null, as pandas has it": (
        table(ordinal=[float("nan"), 1.0, 0.0]),
        {"id": ["c", "b", "a"], "text": TEXTS[::-1], "embedding": VECTORS[::-1]},
    ),
    "ordinal decimal": (table(ordinal=[Decimal(1), Decimal(2), Decimal(3)]), {}),
    "titles of type null": (table(document_title=pa.nulls(3), document_source=pa.nulls(3)), {}),
    "titles all NaN": (table(document_title=[float("nan")] * 3), {}),
    "metadata null": (table(metadata=typed([None] * 3, pa.string())), {}),
    "metadata a struct": (
        table(metadata=pa.array(STRUCTS)),
        {"metadata": OBJECTS},
    ),
    "metadata a map": (
        table(metadata=typed([[("x", "1")], [], None], pa.map_(pa.string(), pa.string()))),
        {"metadata": [{"x": "1"}, {}, {}]},
    ),
    "metadata JSON": (
        table(metadata=['{"a":{"b":[1,null]}}', "null", ""]),
        {"metadata": [{"a": {"b": [1, None]}}, {}, {}]},
    ),
    "metadata JSON in bytes": (
        table(metadata=[b'{"a":1}', None, b"{}"]),
        {"metadata": [{"a": 1}, {}, {}]},
    ),
    "document_metadata a struct": (table(document_metadata=pa.array([{"a": 1}] * 3)), {}),
    "a timestamp": metadata(MOMENT, pa.timestamp("us"), "2026-01-31T12:00:00.123456Z"),
    "a timestamp in ns": metadata(
        1769860800123456789, pa.timestamp("ns", "Asia/Tokyo"), "2026-01-31T12:00:00.123456Z"
    ),
    "a date": metadata(date(2026, 1, 31), pa.date32(), "2026-01-31"),
    "a time in ns": metadata(1_000_000_001, pa.time64("ns"), "00:00:01"),
    "a duration": metadata(timedelta(seconds=1.5), pa.duration("ns"), 1.5),
    "a decimal": metadata(Decimal("1.50"), pa.decimal128(9, 2), 1.5),
    "an integral decimal": metadata(Decimal("7.00"), pa.decimal256(40, 2), 7),
    "float16": metadata(np.float16(0.5), pa.float16(), 0.5),
    "nested lists": metadata([[1], [2, 3]], pa.list_(pa.list_(pa.int8())), [[1], [2, 3]]),
    "a dictionary inside": metadata("x", pa.dictionary(pa.int8(), pa.string()), "x"),
    "a uuid inside": (
        table(metadata=pa.StructArray.from_arrays([UUID_ARRAY], ["x"])),
        {"metadata": [{"x": id_} for id_ in UUIDS]},
    ),
    "text in bytes": metadata(b"\xc3\xa9", pa.binary(), "é"),
    "large types": (
        table(
            id=typed(IDS, pa.large_string()),
            text=typed(TEXTS, pa.large_string()),
            embedding=typed(VECTORS, pa.large_list(pa.float32())),
        ),
        {},
    ),
    "string views": (table(id=typed(IDS, pa.string_view())), {}),
    "dictionaries": (
        table(
            text=pa.array(TEXTS).dictionary_encode(),
            document_id=pa.array(["d"] * 3).dictionary_encode(),
        ),
        {},
    ),
    "text in binary": (table(text=[text.encode() for text in TEXTS]), {}),
    "embedding of a fixed size": (table(embedding=typed(VECTORS, pa.list_(pa.float32(), 2))), {}),
    "embedding in float64": (table(embedding=typed(VECTORS, pa.list_(pa.float64()))), {}),
    "embedding in float16": (
        table(embedding=typed(np.array(VECTORS, np.float16).tolist(), pa.list_(pa.float16()))),
        {},
    ),
    "embedding of integers": (
        table(embedding=[[1, 2], [3, 4], [5, 6]]),
        {"embedding": [[1, 2], [3, 4], [5, 6]]},
    ),
    "embedding of decimals": (
        table(embedding=typed([[Decimal("1.5"), 2]] * 3, pa.list_(pa.decimal128(5, 2)))),
        {"embedding": [[1.5, 2]] * 3},
    ),
    "embedding in bytes": (table(embedding=PACKED), {}),
    "embedding in bytes of a fixed size": (table(embedding=typed(PACKED, pa.binary(8))), {}),
    "embedding in JSON": (table(embedding=[json.dumps(vector) for vector in VECTORS]), {}),
    "embedding a tensor": (
        table(
            embedding=pa.ExtensionArray.from_storage(
                pa.fixed_shape_tensor(pa.float32(), [2]),
                typed(VECTORS, pa.list_(pa.float32(), 2)),
            )
        ),
        {},
    ),
    "embedding a vector of Spark's": (
        table(
            embedding=pa.array(
                [{"type": 1, "size": None, "indices": None, "values": v} for v in VECTORS]
            )
        ),
        {},
    ),
    "timestamps in a map": (
        table(metadata=typed([[("t", 1)]] * 3, pa.map_(pa.string(), pa.timestamp("ns")))),
        {"metadata": [{"t": "1970-01-01T00:00:00Z"}] * 3},
    ),
    "ids integers": (
        table(id=[1, 2, 3], document_id=[7, 7, 7]),
        {"id": ["1", "2", "3"], "document_id": ["7"] * 3},
    ),
    "ids floats, as pandas has integers": (table(id=[1.0, 2.0, 3.0]), {"id": ["1", "2", "3"]}),
    "ids UUIDs in bytes": (
        table(id=UUID_ARRAY.storage),
        {"id": UUIDS},
    ),
    "ids UUIDs": (
        table(id=UUID_ARRAY),
        {"id": UUIDS},
    ),
    "a document's rows apart": (
        table(document_id=["d", "e", "d"], document_title=[None, "E", "D"]),
        {
            "id": ["a", "c", "b"],
            "text": ["one", "three", "two"],
            "embedding": [VECTORS[0], VECTORS[2], VECTORS[1]],
            "document_id": ["d", "d", "e"],
        },
    ),
}


@pytest.mark.parametrize(("written", "expected"), IMPORTED.values(), ids=IMPORTED)
def test_a_shape_is_imported(
    client: Nalanda, run: Run, tmp_path: Path, written: pa.Table, expected: dict[str, Any]
) -> None:
    file = tmp_path / "x.parquet"
    pq.write_table(written, file)
    documents = len({*written["document_id"].to_pylist()})
    said = run("import", file, "-l", "made", status=0)
    assert said == f"Library made: {documents} added, 0 changed, 0 unchanged.\n"
    assert shape(client, "made") == PLAIN | expected
    assert f"{documents} unchanged" in run("import", file, "-l", "made", status=0)


REFUSED: dict[str, tuple[pa.Table, str]] = {
    "no text": (
        table(text=None),
        "x.parquet has no column text (its columns: id, document_id, emb",
    ),
    "text null": (table(text=["one", None, "three"]), "row 2: text: This field is missing"),
    "text a number": (
        table(text=[1, 2, 3]),
        "row 1: text: This must be a string, not the number 1",
    ),
    "text that is no UTF-8": (
        table(text=[b"one", b"two", b"\xff"]),
        "row 3: text: These 1 bytes are",
    ),
    "text of a surrogate's bytes": (
        table(text=pa.array([b"one", b"\xed\xa0\x80", b"three"]).view(pa.string())),
        "row 2: text: This value is unreadable: 'utf-8' codec can't decode",
    ),
    "a surrogate": (
        table(metadata=["{}", '{"a": "\\ud800"}', "{}"]),
        "row 2: metadata/a: Half of a surrogate pair is not a character: remove \\ud800",
    ),
    "document_id null": (
        table(document_id=["d", None, "d"]),
        "row 2: document_id: This field is miss",
    ),
    "an id with a slash": (table(id=["a", "b/c", "d"]), "row 2: id: An id is 1 to 128 of the char"),
    "an id that is a URL": (
        table(document_id=["https://x/y"] * 3),
        "A-Z a-z 0-9 . _ ~ -, not the string 'https://x/y'.",
    ),
    "an id twice": (table(id=["a", "b", "a"]), "row 3: id: row 1 already has the id 'a'"),
    "ids true": (table(id=[True, False, None]), "row 1: id: This must be a string, not true"),
    "ordinal a string": (
        table(ordinal=["1", "2", "3"]),
        "row 1: ordinal: This must be an integer",
    ),
    "ordinal a fraction": (
        table(ordinal=[1.0, 1.5, 2.0]),
        "row 2: ordinal: This must be an integ",
    ),
    "title a number": (
        table(document_title=[1, 1, 1]),
        "row 1: document_title: This must be a str",
    ),
    "a long title": (
        table(document_title=["t" * 20_000] * 3),
        "row 1: document_title: This must have at",
    ),
    "titles that differ": (
        table(document_title=["x", None, "y"]),
        "row 3: document_title: row 1 has another value for the document 'd'",
    ),
    "metadata no JSON": (
        table(metadata=["{}", "{'a': 1}", ""]),
        "row 2: metadata: This must be JSON",
    ),
    "metadata a list": (
        table(metadata=[[1]] * 3),
        "row 1: metadata: This must be a JSON object, n",
    ),
    "metadata a number": (
        table(metadata=["{}", "{}", "7"]),
        "row 3: metadata: This must be a JSON",
    ),
    "metadata with NaN": (
        table(metadata=pa.array([{"a": {"b": 1.0}}, {"a": {"b": float("nan")}}, None])),
        "row 2: metadata/a/b: A number must be finite, not nan",
    ),
    "metadata of bytes": (
        table(metadata=pa.array([{"a": b"\xff"}] * 3)),
        "row 1: metadata/a: These",
    ),
    "metadata of a decimal with too many digits": (
        table(metadata=pa.array([{"a": Decimal("12345678901234567890.5")}] * 3)),
        "row 1: metadata/a: 12345678901234567890.5 has more digits than a float64",
    ),
    "metadata of bytes with zeros": (
        table(metadata=pa.array([{"a": b"\0\1"}] * 3)),
        "row 1: metadata/a: These 2 bytes are not UTF-8 text",
    ),
    "metadata too deep": (
        table(metadata=["{}", '{"a":' * 100_000, "{}"]),
        "row 2: metadata: Metadata must have at most 197 levels",
    ),
    "metadata one level too deep": (
        table(metadata=['{"a":' * 198 + "1" + "}" * 198, "{}", "{}"]),
        "levels of objects and lists",
    ),
    "metadata of a map with a key twice": (
        table(
            metadata=typed(
                [[("x", 1)], [("x", 1), ("x", 2)], None], pa.map_(pa.string(), pa.int8())
            )
        ),
        "row 2: metadata: This value is unreadable",
    ),
    "metadata of a map with numbers for keys": (
        table(metadata=typed([[(1, 1)]] * 3, pa.map_(pa.int8(), pa.int8()))),
        "row 1: metadata: A key must be a string, not the number 1",
    ),
    "a time beyond Python's": (
        table(metadata=typed([{"t": 2**55}] * 3, pa.struct([("t", pa.timestamp("ms"))]))),
        "row 1: metadata: This value is unreadable",
    ),
    "against the schema": (
        table(
            {"format": 1, "settings": {"dimension": 2, "metadata_schema": YEAR}},
            metadata=['{"year": 1}', '{"year": "1"}', "{}"],
        ),
        "row 2: metadata/year: This field is an integer",
    ),
    "embedding with a null": (
        table(embedding=[[1.0, 2.0], [1.0, None], [1.0, 1.0]]),
        "row 2: embedding/1: An embedding's elements",
    ),
    "embedding with NaN": (
        table(embedding=[[1.0, 2.0], [3.0, 4.0], [float("nan"), 1.0]]),
        "row 3: embedding/0: An embedding's numbers must be finite",
    ),
    "embedding beyond float32": (
        table(embedding=[[1.0, 1e39]] * 3),
        "row 1: embedding/1: An embed",
    ),
    "embedding ragged": (
        table({"format": 1, "settings": {}}, embedding=[[1.0, 2.0], [1.0], [1.0, 2.0]]),
        "row 2: embedding: The library's dimension is 2; this embedding has 1",
    ),
    "embedding empty": (
        table(embedding=typed([[]] * 3, FLOATS)),
        "row 1: embedding: An embedding h",
    ),
    "embedding partly null": (
        table(embedding=typed([VECTORS[0], None, VECTORS[2]], FLOATS)),
        "row 2: embedding: This field is missing",
    ),
    "embedding of strings": (
        table(embedding=[["1", "2"]] * 3),
        "row 1: embedding/0: An embedding's",
    ),
    "embedding nested": (
        table(embedding=[[[1.0, 2.0]]] * 3),
        "row 1: embedding/0: An embedding's el",
    ),
    "embedding a struct": (
        table(embedding=pa.array([{"x": 1.0}] * 3)),
        "row 1: embedding: This must be",
    ),
    "embedding a number": (
        table(embedding=[1.0, 2.0, 3.0]),
        "row 1: embedding: This must be a list",
    ),
    "embedding cut off": (
        table(embedding=[b"12345"] * 3),
        "row 1: embedding: 5 bytes are not little",
    ),
    "embedding as numpy prints it": (
        table(embedding=["[0.1 0.2]"] * 3),
        "row 1: embedding: This must be",
    ),
    "embedding zero under cosine": (
        table({"format": 1, "settings": {}}, embedding=typed([[1, 1], [0, 0], [1, 1]], FLOATS)),
        "row 2: embedding: A zero vector has no direction",
    ),
    "format a string": (
        table({"format": "1", "name": "x", "settings": {}}),
        "the file's metadata: format: This must be the number 1, not '1'",
    ),
    "format true": (table({"format": True, "settings": {}}), "format: This must be the number 1"),
    "format of tomorrow": (table({"format": 2, "settings": {}}), "A newer Nalanda has written"),
    "header a list": (table([1]), "is not a library export"),
    "settings a list": (
        table({"format": 1, "settings": [1]}),
        "settings: This must be a JSON object",
    ),
    "settings unknown": (
        table({"format": 1, "settings": {"if_match": 1}}),
        "no setting 'if_match'",
    ),
    "settings wrong": (
        table({"format": 1, "settings": {"dimension": 2, "metric": "manhattan"}}),
        "the server refuses the library's settings in the file's metadata: metric: ",
    ),
}


@pytest.mark.parametrize(("written", "said"), REFUSED.values(), ids=REFUSED)
def test_a_shape_is_refused_in_one_line_and_leaves_nothing(
    client: Nalanda, run: Run, tmp_path: Path, written: pa.Table, said: str
) -> None:
    file = tmp_path / "x.parquet"
    pq.write_table(written, file)
    answer = run("import", file, "-l", "made", status=1)
    assert said in answer
    assert answer.startswith("nalanda: ")
    assert str(file) in answer
    assert answer.count("\n") == 1
    assert list(client.libraries.list()) == []
