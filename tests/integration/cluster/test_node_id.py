"""The id of a node, in its data directory."""

import stat
from pathlib import Path

import pytest

from core.cluster.node_id import node_of
from core.domain.errors import StorageError


def test_the_id_is_the_data_directory_s(tmp_path: Path) -> None:
    first, again = (node_of(tmp_path, "http://a:1", "1.0") for _ in range(2))
    assert first.id == again.id
    assert first.incarnation != again.incarnation
    assert stat.S_IMODE((tmp_path / "node").stat().st_mode) == 0o600


def test_directories_have_different_ids(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert len({node_of(tmp_path / name, "", "").id for name in "ab"}) == 2


@pytest.mark.parametrize("content", [b"", b"two words", b"\xff"])
def test_a_file_without_an_id_is_one_clear_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "node").write_bytes(content)
    with pytest.raises(StorageError, match=str(tmp_path / "node")):
        node_of(tmp_path, "", "")
