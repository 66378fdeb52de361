"""A manifest is read as it was written."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.indexing.checkpoints.manifest import (
    LibraryEntry,
    Manifest,
    read_manifest,
    write_manifest,
)
from core.indexing.container.container import DamagedFile
from core.indexing.container.writer import write_container
from core.indexing.lexical.checkpointed import StoredFile, StoredLexicalIndex

SERIALS = st.lists(st.integers(0, 40) | st.integers(2**40, 2**40 + 9), unique=True).map(sorted)


def read(path: Path) -> Manifest:
    with ThreadPoolExecutor(1) as pool:
        return read_manifest(path, pool)


@settings(max_examples=40)
@given(st.lists(st.none() | SERIALS, max_size=3))
def test_the_words_of_libraries(row_ids: list[list[int] | None]) -> None:
    libraries = {
        f"l{i}": LibraryEntry(f"l{i}", "then", 7, [], ["a", "b"], words_of(i, has))
        for i, has in enumerate(row_ids)
    }
    with TemporaryDirectory() as directory:
        manifest = read(write_manifest(Path(directory), Manifest(3, "now", libraries)))
    assert set(manifest.libraries) == set(libraries)
    assert manifest.files == {f"{i}.lexical" for i, has in enumerate(row_ids) if has is not None}
    for id_, library in libraries.items():
        words, again = library.lexical, manifest.libraries[id_].lexical
        assert (words is None) == (again is None)
        if words is not None and again is not None:
            assert (again.fingerprint, again.meta) == (words.fingerprint, words.meta)
            assert (again.files, again.size_bytes) == (words.files, 9)
            assert again.row_ids.dtype == np.int64
            assert again.row_ids.tolist() == words.row_ids.tolist()


def words_of(number: int, row_ids: list[int] | None) -> StoredLexicalIndex | None:
    if row_ids is None:
        return None
    files = {"a.idx": StoredFile(f"{number}.lexical", 2**32 - 1, 9)}
    return StoredLexicalIndex(
        ("1", "english"), '{"segments": []}', files, np.array(row_ids, np.int64)
    )


def test_one_by_an_earlier_version_has_no_words(tmp_path: Path) -> None:
    library = {"id": "l", "created_at": "then", "next_serial": 7, "segments": []}
    ends = np.zeros(1, np.uint32)
    write_container(
        tmp_path / "file",
        "checkpoint",
        {"position": 3, "at": "now", "libraries": [library]},
        {"0.content": np.empty(0, np.uint8), "0.ends": ends},
    )
    assert read(tmp_path / "file").libraries["l"].lexical is None


def test_one_that_makes_no_sense_is_damaged(tmp_path: Path) -> None:
    write_container(tmp_path / "file", "checkpoint", {"position": 3}, {})
    with pytest.raises(DamagedFile, match="It is not a checkpoint's manifest"):
        read(tmp_path / "file")
