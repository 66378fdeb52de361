"""Files below folders: links followed, each file once, and a word on what is passed over."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from cli.ingestion import kinds
from cli.ingestion.places import shown
from cli.ingestion.reading import special_type
from cli.ingestion.report import Report

PASSED_OVER_FOLDERS = frozenset({"node_modules"})
"""Folders of what others wrote."""


class Finder:
    """Paths are compared with all links resolved, as inode numbers can't be relied on everywhere.

    `files` and `folders` are the real paths of what was found. Nothing can be said of what is gone
    from `unread` folders, which could not be listed, and from `bare` ones: those that were named
    or linked to and have no file of a known kind, as the mount point of an unmounted disk has none.
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
        """Yield the files that are named, and those of known kinds in folders."""
        for path in paths:
            try:
                is_folder = path.is_dir()
            except OSError as error:
                self._report.fail(path, str(error.strerror))
                continue
            if is_folder:
                yield from self._below(path)
            elif self._is_new(path):
                yield path

    def _below(self, root: Path) -> Iterator[Path]:
        real_root = os.path.realpath(root)
        is_new = real_root not in self.folders
        failed = self._report.counts["failed"]
        known = 0
        waiting = [(root, real_root)]
        while waiting:
            folder, start = waiting.pop()
            real = os.path.realpath(folder)
            if real in self.folders:
                continue
            if folder.is_symlink():
                start = real
            files, folders = self._listed(folder, real)
            self._known[start] += len(files)
            known += len(files)
            yield from filter(self._is_new, files)
            waiting += [(below, start) for below in reversed(folders)]
        if is_new and not known and failed == self._report.counts["failed"]:
            self._report.is_complete = False
            self._report.note(root, f"has no file that ends in {', '.join(kinds.SUFFIXES)}")

    def _is_new(self, path: Path) -> bool:
        real = os.path.realpath(path)
        if real in self.files:
            return False
        self.files.add(real)
        return True

    def _listed(self, folder: Path, real: str) -> tuple[list[Path], list[Path]]:
        """Return the files of known kinds and the folders in a folder."""
        self.folders.add(real)
        try:
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            self.unread.add(real)
            self._report.fail(folder, f"can't be listed: {error.strerror}")
            return [], []
        files: list[Path] = []
        folders: list[Path] = []
        for entry in entries:
            self._sort(entry, files, folders)
        return files, folders

    def _sort(self, entry: os.DirEntry[str], files: list[Path], folders: list[Path]) -> None:
        path = Path(entry.path)
        if entry.name.startswith("."):
            self._report.pass_over("hidden")
            return
        try:
            if entry.is_dir():
                self._sort_folder(path, folders)
            elif entry.is_file():
                self._sort_file(path, files)
            else:
                self._tell_special(entry, path)
        except OSError as error:
            self._report.fail(path, str(error.strerror))

    def _sort_folder(self, path: Path, folders: list[Path]) -> None:
        if path.name in PASSED_OVER_FOLDERS:
            self._report.pass_over(path.name)
        else:
            folders.append(path)

    def _sort_file(self, path: Path, files: list[Path]) -> None:
        if kinds.is_known(path.name):
            files.append(path)
        else:
            suffix = kinds.suffix_of(path.name)
            self._report.pass_over(shown(Path(suffix)) if suffix else "without a suffix")

    def _tell_special(self, entry: os.DirEntry[str], path: Path) -> None:
        """Tell of a link to nothing, or of a pipe and the like. Raises: OSError."""
        if not entry.is_symlink() or path.exists():
            kind, is_a = "not a regular file", special_type(path.stat().st_mode)
        else:
            kind, is_a = "link to nothing", f"a link to nothing ({shown(path.readlink())})"
            if kinds.is_known(path.name):
                self._report.fail(path, f"is {is_a}")
                return
        self._report.pass_over(kind)
        self._report.note(path, f"passed over, as it is {is_a}")
