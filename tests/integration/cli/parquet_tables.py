"""Tables of a document's three chunks, as other tools write them to Parquet."""

import json
from typing import Any

import pyarrow as pa

IDS = ["a", "b", "c"]
TEXTS = ["one", "two", "three"]
VECTORS = [[1.0, 0.5], [0.25, -1.0], [2.0, 4.0]]
FLOATS = pa.list_(pa.float32())
HEADER = {"format": 1, "name": "x", "settings": {"dimension": 2, "metric": "l2"}}


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
