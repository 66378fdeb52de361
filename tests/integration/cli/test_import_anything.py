"""Any file is staged as the API accepts it, or refused by name in one line."""

import json
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.transfer.formats import json_lines, parquet
from cli.transfer.rules import Rules
from cli.transfer.staging import open_staging
from core.backup.files import file_errors
from core.domain.errors import StorageError

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["[1, 2]", "{}", "\ud800", "a", 2**70, 10**400]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
FIELDS = ["id", "text", "document_id", "ordinal", "metadata", "embedding", "title", "source"]
RECORD = {"kind": "chunk", "id": "c", "text": "t", "document_id": "d", "embedding": [1, 2]}


def stage(path: Path) -> bool:
    """Return whether the file is accepted; check that staged data is strict JSON in UTF-8."""
    module: Any = parquet if path.suffix == ".parquet" else json_lines
    try:
        with (
            file_errors(path),
            module.open_(path) as reader,
            open_staging(reader.origin, Rules.of(reader.settings)) as staging,
        ):
            reader.stage(staging, lambda _: None)
            for document in staging.documents():
                for chunk in document.chunks():
                    record = [document.record.title, chunk.record.text, chunk.record.metadata]
                    json.dumps(record, allow_nan=False, ensure_ascii=False).encode()
    except StorageError as error:
        assert str(path) in str(error)  # noqa: PT017 - some are taken
        return False
    return True


@settings(max_examples=300)
@given(
    st.sampled_from([RECORD, {"text": "t"}, {"kind": "document", "id": "d"}]),
    st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=2),
    st.dictionaries(st.sampled_from(["kind", "format", "settings", "name"]), JSON, max_size=3),
)
def test_any_json(record: dict[str, Any], changed: dict[str, Any], header: dict[str, Any]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "x.jsonl")
        lines = [{"kind": "document", "id": "d"}, {**record, **changed}]
        path.write_text("\n".join(map(json.dumps, [*([header] if header else []), *lines])))
        stage(path)


@pytest.mark.parametrize("seed", range(100))
@pytest.mark.parametrize("name", ["x.parquet", "x.jsonl"])
def test_any_damage(tmp_path: Path, seed: int, name: str) -> None:
    random, path = Random(seed), tmp_path / name
    rows = [{"id": i, "text": f"t{i}", "document_id": "d", "metadata": '{"a":1}'} for i in range(9)]
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=3)
    else:
        path.write_text("\n".join(map(json.dumps, rows)))
    assert stage(path)
    content = bytearray(path.read_bytes())
    for _ in range(random.randint(1, 4)):
        content[random.randrange(len(content))] = random.randrange(256)
    path.write_bytes(content[: random.choice([len(content), random.randrange(len(content))])])
    stage(path)
