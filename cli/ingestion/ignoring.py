"""The rules of .gitignore files: which files Git ignores below a folder."""

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from pathspec import GitIgnoreSpec
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

GITIGNORE = ".gitignore"


@dataclass(frozen=True, slots=True)
class IgnoreRules:
    """The rules of a folder's .gitignore, and those of the folders above, which rank lower."""

    folder: str
    spec: GitIgnoreSpec
    above: "IgnoreRules | None"

    def ignore(self, path: str, *, is_folder: bool) -> bool:
        """Return whether the last matching rule ignores a path, which is below the folder.

        The folders between must not be ignored themselves, as rules can't bring back their files.
        """
        relative = os.path.relpath(path, self.folder)
        ignored = self._ignore_folder(relative) if is_folder else self._ignore_file(relative)
        if ignored is not None:
            return ignored
        return self.above is not None and self.above.ignore(path, is_folder=is_folder)

    def _ignore_file(self, relative: str) -> bool | None:
        return self.spec.check_file(relative).include

    def _ignore_folder(self, relative: str) -> bool | None:
        """Return what the last rule that matches the folder itself says; `None` if none does.

        The specification answers for files alone: it lets no `!*/` outrank a `*`.
        """
        for pattern in reversed(self.spec.patterns):
            is_for_folders = str(pattern.pattern).rstrip().endswith("/")
            if pattern.match_file(f"{relative}/" if is_for_folders else relative):
                return pattern.include
        return None


def with_rules_of(folder: str, above: IgnoreRules | None) -> IgnoreRules | None:
    """Return the rules of a folder's .gitignore on top of those above.

    Raises:
        OSError: the file can't be read.
    """
    path = Path(folder, GITIGNORE)
    if not path.is_file():
        return above
    text = os.fsdecode(path.read_bytes()).removeprefix("\ufeff")
    return IgnoreRules(folder, _spec(text.split("\n")), above)


def rules_above(folder: str) -> IgnoreRules | None:
    """Return the rules of the folders above a folder, up to the root of its Git repository.

    There are none if they ignore the folder itself, which was then named in spite of them.

    Raises:
        OSError: a .gitignore can't be read.
    """
    within: list[Path] = []
    for path in (Path(folder), *Path(folder).parents):
        within.insert(0, path)
        if os.path.lexists(path / ".git"):
            break
    else:
        return None
    rules: IgnoreRules | None = None
    for parent, child in pairwise(within):
        rules = with_rules_of(str(parent), rules)
        if rules is not None and rules.ignore(str(child), is_folder=True):
            return None
    return rules


def _spec(lines: Iterable[str]) -> GitIgnoreSpec:
    """Compile the rules; as in Git, one that is not valid has no effect."""
    patterns: list[GitIgnoreSpecPattern] = []
    for line in lines:
        with suppress(ValueError, re.error):
            patterns.append(GitIgnoreSpecPattern(line))
    return GitIgnoreSpec(patterns)
