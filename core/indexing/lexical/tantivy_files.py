"""The files of an index of tantivy's in a folder, as of its last commit.

A file of a segment never changes, and is on the disk once a commit names it. `meta.json` says
which segments there are; tantivy gets rid of what else it finds, if `.managed.json` names it.
"""

import json
from dataclasses import dataclass
from pathlib import Path

META = "meta.json"
_MANAGED = ".managed.json"


@dataclass(frozen=True, slots=True)
class Committed:
    """`meta`: what `meta.json` says. `deleted`: texts that are in the files still."""

    meta: str
    files: tuple[Path, ...]
    deleted: int

    @classmethod
    def of(cls, folder: Path) -> "Committed":
        """While nobody commits. Raises: OSError; ValueError: it is none of tantivy's."""
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
    """Makes an index of the files that are there."""
    names = [path.name for path in folder.iterdir()]
    (folder / _MANAGED).write_text(json.dumps([*names, META]))
    (folder / META).write_text(meta)
