"""Search for files below folders: follows links, yields each file once, counts skipped files."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cli.ingestion.places import shown
from cli.ingestion.reading import special_type
from cli.ingestion.report import Report
from core.documents.suffixes import MEDIA_TYPES, suffix_of

PASSED_OVER_FOLDERS = frozenset({"node_modules"})
"""Folders of third-party files."""


@dataclass(frozen=True, slots=True)
class FoundPath:
    """A file or folder; `start` is the named or linked folder above it."""

    path: Path
    real: str
    start: str


class Finder:
    """A search for files that takes each file and folder once.

    The finder compares paths with all links resolved, because inode numbers are not reliable on
    every file system. `files` and `folders` are real paths. Nothing can be concluded about missing
    files in `unread` folders, which could not be listed, or in `bare` ones. A `bare` folder was
    named or linked to and has no file of a known kind, like the mount point of an unmounted disk.
    """

    def __init__(self, report: Report) -> None:
        self._report = report
        self._known: Counter[str] = Counter()
        self.files: set[str] = set()
        self.folders: set[str] = set()
        self.unread: set[str] = set()

    @property
    def bare(self) -> set[str]:
        return {folder for folder, files in self._known.items() if not files}

    def find(self, paths: Iterable[Path]) -> Iterator[Path]:
        """Yield the named files, and the files of known kinds in folders."""
        for path in paths:
            real = os.path.realpath(path)
            try:
                is_folder = path.is_dir()
            except OSError as error:
                self._report.fail(path, str(error.strerror))
                continue
            found = FoundPath(path, real, real)
            if is_folder:
                yield from self._below(found)
            elif self._is_new(found):
                yield path

    def _below(self, root: FoundPath) -> Iterator[Path]:
        is_new = root.real not in self.folders
        failed = self._report.counts["failed"]
        known = 0
        waiting = [root]
        while waiting:
            folder = waiting.pop()
            if folder.real in self.folders:
                continue
            self.folders.add(folder.real)
            files, folders = self._list_folder(folder)
            self._known[folder.start] += len(files)
            known += len(files)
            yield from (file.path for file in files if self._is_new(file))
            waiting += reversed(folders)
        if is_new and not known and failed == self._report.counts["failed"]:
            self._report.is_complete = False
            self._report.note(root.path, f"has no file that ends in {', '.join(MEDIA_TYPES)}")

    def _is_new(self, file: FoundPath) -> bool:
        if file.real in self.files:
            return False
        self.files.add(file.real)
        return True

    def _list_folder(self, folder: FoundPath) -> tuple[list[FoundPath], list[FoundPath]]:
        """Return the folder's files of known kinds, and its folders."""
        files: list[FoundPath] = []
        folders: list[FoundPath] = []
        try:
            with os.scandir(folder.path) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            self.unread.add(folder.real)
            self._report.fail(folder.path, f"can't be listed: {error.strerror}")
            entries = []
        for entry in entries:
            self._sort(entry, folder, files, folders)
        return files, folders

    def _sort(
        self,
        entry: os.DirEntry[str],
        folder: FoundPath,
        files: list[FoundPath],
        folders: list[FoundPath],
    ) -> None:
        path = Path(entry.path)
        try:
            if entry.name.startswith("."):
                self._report.pass_over("hidden")
            elif entry.is_dir():
                if entry.name in PASSED_OVER_FOLDERS:
                    self._report.pass_over(entry.name)
                else:
                    folders.append(_resolve_entry(entry, folder))
            elif not entry.is_file():
                self._report_special(entry, path)
            elif suffix_of(entry.name) in MEDIA_TYPES:
                files.append(_resolve_entry(entry, folder))
            else:
                suffix = suffix_of(entry.name)
                self._report.pass_over(shown(Path(suffix)) if suffix else "without a suffix")
        except OSError as error:
            self._report.fail(path, str(error.strerror))

    def _report_special(self, entry: os.DirEntry[str], path: Path) -> None:
        """Report a broken link, a named pipe or another special file.

        Raises:
            OSError: the path can't be examined.
        """
        if not entry.is_symlink() or path.exists():
            kind, is_a = "not a regular file", special_type(path.stat().st_mode)
        else:
            kind, is_a = "broken link", f"a broken link ({shown(path.readlink())})"
            if suffix_of(path.name) in MEDIA_TYPES:
                self._report.fail(path, f"is {is_a}")
                return
        self._report.pass_over(kind)
        self._report.note(path, f"skipped: it is {is_a}")


def _resolve_entry(entry: os.DirEntry[str], folder: FoundPath) -> FoundPath:
    if not entry.is_symlink():
        return FoundPath(Path(entry.path), str(Path(folder.real, entry.name)), folder.start)
    real = os.path.realpath(entry.path)
    return FoundPath(Path(entry.path), real, real if entry.is_dir() else folder.start)
