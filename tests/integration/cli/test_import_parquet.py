"""`nalanda import` of Parquet that other tools write."""

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

from nalanda import Nalanda, Place
from tests.integration.cli.conftest import Run
from tests.integration.cli.parquet_tables import IDS, TEXTS, VECTORS, table, typed

UUIDS = [str(UUID(int=n << 100)) for n in (1, 2, 3)]
UUID_ARRAY = pa.ExtensionArray.from_storage(
    pa.uuid(), pa.array([UUID(id_).bytes for id_ in UUIDS], pa.binary(16))
)
PACKED = [np.array(vector, "<f4").tobytes() for vector in VECTORS]


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
        "place": [chunk.place for chunk in chunks],
        "embedding": [list(chunk.embedding or ()) for chunk in chunks],
        "document_id": [chunk.document_id for chunk in chunks],
    }


PLAIN = {
    "id": IDS,
    "text": TEXTS,
    "metadata": [{}] * 3,
    "place": [None] * 3,
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
    "place a struct": (
        table(place=pa.array([{"page": 2, "headings": ["a"]}, {"page": None}, None])),
        {"place": [Place(page=2, headings=["a"]), None, None]},
    ),
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
