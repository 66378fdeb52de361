"""The result of loading a checkpoint.

It is a module of its own, as the other modules import the kernels, which takes a second.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.domain.library import Library
from core.indexing.lexical.checkpointed import StoredLexicalIndex
from core.indexing.views.view import LibraryView

if TYPE_CHECKING:
    from core.indexing.checkpoints.manifest import Manifest
    from core.indexing.checkpoints.writing import StoredSegment


@dataclass(frozen=True, slots=True)
class SetAsideFile:
    """A file that could not be used, moved to the folder `damaged` if it exists."""

    name: str
    problem: str


@dataclass(slots=True)
class LoadedCheckpoint:
    """The usable content of the newest checkpoint.

    `views`: those of all libraries, except the `missing` ones, whose files cannot be used, and
    those `elsewhere`, without rows, which this node does not hold.
    `lexical`: the usable lexical indexes, by library. `manifests`: the usable manifests,
    newest first. `known`: the segments that are served from files.
    """

    views: list[LibraryView] = field(default_factory=list)
    missing: list[Library] = field(default_factory=list)
    elsewhere: list[LibraryView] = field(default_factory=list)
    lexical: dict[str, StoredLexicalIndex] = field(default_factory=dict)
    manifests: list["Manifest"] = field(default_factory=list)
    known: list["StoredSegment"] = field(default_factory=list)
    set_aside: list[SetAsideFile] = field(default_factory=list)
