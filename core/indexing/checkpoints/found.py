"""What a start found in files. Here alone, as the rest imports the kernels, which take a second."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.domain.library import Library
from core.indexing.view import LibraryView

if TYPE_CHECKING:
    from core.indexing.checkpoints.manifest import Manifest
    from core.indexing.checkpoints.writing import InFiles


@dataclass(frozen=True, slots=True)
class SetAside:
    """A file that could not be used; it is in `damaged` now, if it is anywhere."""

    name: str
    problem: str


@dataclass(slots=True)
class Found:
    """`views`: of all libraries, but for those that are `missing`, whose files can't be used.
    `manifests`: the usable ones, newest first. `known`: the segments that are served from files."""

    views: list[LibraryView] = field(default_factory=list)
    missing: list[Library] = field(default_factory=list)
    manifests: list["Manifest"] = field(default_factory=list)
    known: list["InFiles"] = field(default_factory=list)
    set_aside: list[SetAside] = field(default_factory=list)
