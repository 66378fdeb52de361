"""Search for files below folders: follows links, yields each file once, counts skipped files."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from cli.ingestion.ignoring import GITIGNORE, IgnoreRules, rules_above, with_rules_of
from cli.ingestion.places import display_path
from cli.ingestion.reading import special_type
from cli.ingestion.selection import (
    GIT_IGNORED,
    is_hidden,
    is_known,
    kind_by_mark,
    kind_of_skipped,
    kind_of_skipped_folder,
)


@dataclass(frozen=True, slots=True)
class FoundPath:
    """A file or folder.

    `start` is the named or linked folder above it. `rules` are those of the .gitignore files of the
    folders above a folder.
    """

    path: Path
    real: str
    start: str
    rules: IgnoreRules | None = None
    is_named: bool = False


@dataclass(frozen=True, slots=True)
class Remark:
    """A line about a path; `failed` counts as a file, and `empty` makes the run incomplete."""

    path: Path
    text: str
    outcome: Literal["skipped", "empty", "failed"]


class Finder:
    """A search for files that takes each file and folder once.

    The finder compares paths with all links resolved, because inode numbers are not reliable on
    every file system. `files` are real paths, and `folders` have real paths with those that led to
    them. Nothing can be concluded about missing files in `unread` folders, which could not be
    listed, or in `bare` ones. A `bare` folder was named or linked to and has no file to take, like
    the mount point of an unmounted disk.
    """

    def __init__(self, *, with_ignored: bool = False) -> None:
        self._with_ignored = with_ignored
        self._counts: Counter[str] = Counter()
        self.files: set[str] = set()
        self.folders: dict[str, Path] = {}
        self.unread: set[str] = set()
        self.remarks: list[Remark] = []
        self.passed_over: Counter[str] = Counter()
        """Numbers of files and folders by kind."""

    @property
    def bare(self) -> set[str]:
        return {folder for folder, files in self._counts.items() if not files}

    def find(self, paths: Iterable[Path]) -> Iterator[FoundPath]:
        """Yield the named files, and those in folders that are to be taken."""
        for path in paths:
            real = os.path.realpath(path)
            try:
                is_folder = path.is_dir()
            except OSError as error:
                self._fail(path, str(error.strerror))
                continue
            if is_folder:
                yield from self._below(replace(self._start(path, real), is_named=True))
            elif self._is_new(real):
                yield FoundPath(path, real, real)

    def _start(self, path: Path, real: str) -> FoundPath:
        """Return a folder that was named or linked to."""
        try:
            rules = None if self._with_ignored else rules_above(real)
        except OSError as error:
            self._remark_unread_rules(Path(str(error.filename)), error)
            rules = None
        return FoundPath(path, real, real, rules)

    def _below(self, root: FoundPath) -> Iterator[FoundPath]:
        is_new = root.real not in self.folders
        failed = self._failures
        count = 0
        waiting = [root]
        while waiting:
            folder = waiting.pop()
            if folder.real in self.folders:
                continue
            self.folders[folder.real] = folder.path
            files, folders = self._list_folder(folder)
            self._counts[folder.start] += len(files)
            count += len(files)
            yield from (file for file in files if self._is_new(file.real))
            waiting += reversed(folders)
        if is_new and not count and failed == self._failures:
            text = "has no document, text or source code to take"
            self.remarks.append(Remark(root.path, text, "empty"))

    @property
    def _failures(self) -> int:
        return sum(remark.outcome == "failed" for remark in self.remarks)

    def _is_new(self, real: str) -> bool:
        if real in self.files:
            return False
        self.files.add(real)
        return True

    def _list_folder(self, folder: FoundPath) -> tuple[list[FoundPath], list[FoundPath]]:
        """Return the folder's files that are to be taken, and its folders."""
        files: list[FoundPath] = []
        folders: list[FoundPath] = []
        try:
            with os.scandir(folder.path) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            self.unread.add(folder.real)
            self._fail(folder.path, f"can't be listed: {error.strerror}")
            return files, folders
        kind = None if folder.is_named else kind_by_mark({entry.name for entry in entries})
        if kind is not None:
            self.passed_over[kind] += 1
            return files, folders
        rules = self._rules(folder)
        for entry in entries:
            self._sort(entry, folder, rules, files, folders)
        return files, folders

    def _rules(self, folder: FoundPath) -> IgnoreRules | None:
        if self._with_ignored:
            return None
        try:
            return with_rules_of(folder.real, folder.rules)
        except OSError as error:
            self._remark_unread_rules(folder.path / GITIGNORE, error)
            return folder.rules

    def _sort(
        self,
        entry: os.DirEntry[str],
        folder: FoundPath,
        rules: IgnoreRules | None,
        files: list[FoundPath],
        folders: list[FoundPath],
    ) -> None:
        if is_hidden(entry.name):
            self.passed_over["hidden"] += 1
            return
        path, real = Path(entry.path), str(Path(folder.real, entry.name))
        try:
            is_folder = entry.is_dir()
            kind = kind_of_skipped_folder(entry.name) if is_folder else kind_of_skipped(entry.name)
            if rules is not None and rules.ignore(real, is_folder=is_folder):
                self.passed_over[kind or GIT_IGNORED] += 1
            elif not is_folder and not entry.is_file():
                self._remark_special(entry, path)
            elif kind is not None:
                self.passed_over[kind] += 1
            elif is_folder:
                folders.append(self._folder(entry, folder, rules))
            else:
                real = os.path.realpath(entry.path) if entry.is_symlink() else real
                files.append(FoundPath(path, real, folder.start))
        except OSError as error:
            self._fail(path, str(error.strerror))

    def _folder(
        self, entry: os.DirEntry[str], above: FoundPath, rules: IgnoreRules | None
    ) -> FoundPath:
        if entry.is_symlink():
            return self._start(Path(entry.path), os.path.realpath(entry.path))
        return FoundPath(Path(entry.path), str(Path(above.real, entry.name)), above.start, rules)

    def _remark_special(self, entry: os.DirEntry[str], path: Path) -> None:
        """Remark on a broken link, a named pipe or another special file.

        Raises:
            OSError: the path can't be examined.
        """
        if not entry.is_symlink() or path.exists():
            kind, is_a = "not a regular file", special_type(path.stat().st_mode)
        else:
            kind, is_a = "broken link", f"a broken link ({display_path(path.readlink())})"
            if is_known(path.name):
                self._fail(path, f"is {is_a}")
                return
        self.passed_over[kind] += 1
        self.remarks.append(Remark(path, f"skipped: it is {is_a}", "skipped"))

    def _remark_unread_rules(self, path: Path, error: OSError) -> None:
        text = f"can't be read, so its rules have no effect: {error.strerror}"
        self.remarks.append(Remark(path, text, "skipped"))

    def _fail(self, path: Path, text: str) -> None:
        self.remarks.append(Remark(path, text, "failed"))
