"""`nalanda import` of Parquet that it refuses, by row and column."""

from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nalanda import Nalanda
from tests.integration.cli.conftest import Run
from tests.integration.cli.parquet_tables import FLOATS, VECTORS, table, typed

YEAR = {"fields": {"year": {"type": "integer"}}}

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
    "an id with a slash": (table(id=["a", "b/c", "d"]), "row 2: id: An id must have 1 to 128 char"),
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
        "row 1: embedding: An embedding must have 1 to",
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
