"""The files of a lexical index, and that links to the files are the same index."""

import gc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from core.domain.library import Language
from core.indexing.container.container import DamagedFile
from core.indexing.lexical.bm25 import LexicalIndex, LexicalReader
from core.indexing.lexical.checkpointed import LexicalFiles, StoredLexicalIndex, verify


@pytest.fixture
def files(tmp_path: Path) -> LexicalFiles:
    for name in ("working", "checkpoints"):
        (tmp_path / name).mkdir()
    return LexicalFiles(tmp_path / "working", tmp_path / "checkpoints")


def build_index(files: LexicalFiles) -> LexicalIndex:
    """Build an index of several tantivy segments, one with a deletion."""
    index = LexicalIndex(Language.NONE, files.folder())
    index.change([(row_id, f"word n{row_id}") for row_id in range(9)], [])
    index.change([(9, "word n9")], [3])
    return index


def link(index: LexicalIndex, files: LexicalFiles) -> StoredLexicalIndex:
    commit = index.last_commit
    assert commit is not None
    linked = files.link(commit, {})
    return StoredLexicalIndex(("1",), commit.meta, linked, np.empty(0, np.int64))


def matches(reader: LexicalReader) -> list[int]:
    return sorted(reader.search("word", 100).row_ids.tolist())


def test_what_is_committed_is_all_that_an_index_is(files: LexicalFiles) -> None:
    index = build_index(files)
    stored = link(index, files)
    assert stored.size_bytes == index.size_bytes
    assert index.last_commit is not None
    assert index.last_commit.deleted == 1
    again = LexicalIndex(Language.NONE, files.folder_of(stored))
    assert matches(again.reader()) == matches(index.reader()) == [0, 1, 2, 4, 5, 6, 7, 8, 9]


def test_what_becomes_of_one_is_nothing_to_the_other(files: LexicalFiles) -> None:
    index = build_index(files)
    stored = link(index, files)
    again = LexicalIndex(Language.NONE, files.folder_of(stored))
    for row_id in range(20, 40):  # merges, which remove files
        again.change([(row_id, "word")], [row_id - 20])
    assert matches(index.reader()) == [0, 1, 2, 4, 5, 6, 7, 8, 9]
    assert matches(again.reader()) == list(range(20, 40))
    with ThreadPoolExecutor(1) as pool:
        verify(files.checkpoints, stored, pool)


def test_a_folder_goes_with_its_index_and_readers_go_on(files: LexicalFiles) -> None:
    index = build_index(files)
    reader = index.reader()
    del index
    gc.collect()
    assert not list(files.working.iterdir())
    assert len(matches(reader)) == 9


def test_the_files_of_merged_segments_go(files: LexicalFiles) -> None:
    index = LexicalIndex(Language.NONE, files.folder_of(link(build_index(files), files)))
    for row_id in range(20, 40):
        index.change([(row_id, "word")], [])
    assert index.folder is not None
    assert index.last_commit is not None
    there = {path for path in index.folder.iterdir() if not path.name.startswith(".")}
    assert there == {*index.last_commit.files, index.folder / "meta.json"}


@pytest.mark.parametrize("harm", ["flip", "cut", "longer", "gone"])
def test_damage_is_found(files: LexicalFiles, harm: str) -> None:
    stored = link(build_index(files), files)
    for path in files.checkpoints.iterdir():
        whole = path.read_bytes()
        path.unlink()
        if harm != "gone":
            flipped = bytes([whole[0] ^ 1]) + whole[1:]
            path.write_bytes({"flip": flipped, "cut": whole[:-1], "longer": whole + b"\0"}[harm])
        with ThreadPoolExecutor(1) as pool, pytest.raises(DamagedFile, match=path.name):
            verify(files.checkpoints, stored, pool)
        path.write_bytes(whole)


def test_a_folder_with_something_else_is_refused(files: LexicalFiles) -> None:
    folder = files.folder()
    (folder / "meta.json").write_text("{}")
    with pytest.raises(ValueError, match=r"meta\.json"):
        LexicalIndex(Language.NONE, folder)
