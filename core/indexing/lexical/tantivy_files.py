"""The files of a tantivy index in a folder, at its last commit.

A segment's file never changes, and is synced before a commit names it. `meta.json` lists the
segments; tantivy deletes other files that `.managed.json` names.
"""

import json
from dataclasses import dataclass
from pathlib import Path

META = "meta.json"
_MANAGED = ".managed.json"


@dataclass(frozen=True, slots=True)
class TantivyCommit:
    """A tantivy commit; `meta`: the content of `meta.json`; `deleted` counts deleted texts."""

    meta: str
    files: tuple[Path, ...]
    deleted: int

    @classmethod
    def of(cls, folder: Path) -> "TantivyCommit":
        """Read the last commit of a folder, which no writer may change meanwhile.

        Raises:
            OSError: a file cannot be read.
            ValueError: the folder has no tantivy index.
        """
        meta = (folder / META).read_text()
        names, deleted = set[str](), 0
        for segment in json.loads(meta)["segments"]:
            name = segment["segment_id"].replace("-", "")
            names |= {path.name for path in folder.glob(f"{name}.*") if path.name.count(".") == 1}
            if segment["deletes"] is not None:
                names.add(f"{name}.{segment['deletes']['opstamp']}.del")
                deleted += segment["deletes"]["num_deleted_docs"]
        return cls(meta, tuple(folder / name for name in sorted(names)), deleted)

    @property
    def size_bytes(self) -> int:
        return sum(path.stat().st_size for path in self.files)


def commit(folder: Path, meta: str) -> None:
    """Make the folder's files an index with the given `meta.json`."""
    names = [path.name for path in folder.iterdir()]
    (folder / _MANAGED).write_text(json.dumps([*names, META]))
    (folder / META).write_text(meta)
