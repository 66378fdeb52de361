"""The choice of files in a folder: known kinds, and nothing that tools have generated.

The choice is by names and by the marks that tools leave, never by content, so that a file is taken
or passed over whatever is written to it. What the user names is taken in any case.
"""

from collections.abc import Collection
from pathlib import Path

from cli.ingestion.places import display_path
from core.documents.suffixes import LANGUAGES, MEDIA_TYPES, suffix_of

GIT_IGNORED = "in .gitignore"
"""The kind of what rules of .gitignore files pass over."""

_PLAIN_NAMES = frozenset(
    ("authors", "changelog", "changes", "contributing", "contributors", "copying", "history")
) | {"install", "licence", "license", "maintainers", "news", "notice", "readme", "todo"}
"""Names without a suffix that texts have, in lower case."""

_BUILD_NAMES = frozenset(
    ("containerfile", "dockerfile", "gemfile", "gnumakefile", "jenkinsfile", "justfile")
) | {"makefile", "procfile", "rakefile", "vagrantfile"}
"""Names without a suffix that source code has, in lower case."""

_GENERATED = frozenset(
    ("desktop.ini", "npm-shrinkwrap.json", "package-lock.json", "packages.lock.json")
) | {"pnpm-lock.yaml"}
"""Names that end as those of source code, in lower case."""

_MINIFIED = (".min.css", ".min.js", ".min.mjs")
_OFFICE_LOCK = "~$"
"""Start of the name of the file by which Microsoft Office locks an open document."""

_TOOL_FOLDERS = frozenset(("__pycache__", "bower_components", "node_modules", "site-packages"))
_MARKS = {
    "CACHEDIR.TAG": "cache",  # https://bford.info/cachedir/, as Cargo's `target`
    "conda-meta": "virtual environment",
    "pyvenv.cfg": "virtual environment",
}
"""Entries that tools put into folders of theirs."""


def is_known(name: str) -> bool:
    """Return whether a file of this name is of a known kind."""
    suffix = suffix_of(name)
    if not suffix:
        return name.lower() in _PLAIN_NAMES | _BUILD_NAMES
    return suffix in MEDIA_TYPES or suffix in LANGUAGES


def is_hidden(name: str) -> bool:
    return name.startswith(".")


def kind_of_skipped(name: str) -> str | None:
    """Return the kind of a file that is passed over, or `None` for one that is taken."""
    lower = name.lower()
    if name.startswith(_OFFICE_LOCK):
        return "temporary"
    if lower in _GENERATED:
        return lower
    if minified := next((end for end in _MINIFIED if lower.endswith(end)), None):
        return minified
    if is_known(name):
        return None
    return display_path(Path(suffix_of(name))) if suffix_of(name) else "without a suffix"


def kind_of_skipped_folder(name: str) -> str | None:
    """Return the kind of a folder that is passed over, or `None` for one that is listed."""
    return name if name in _TOOL_FOLDERS else None


def kind_by_mark(entries: Collection[str]) -> str | None:
    """Return the kind of a tool's folder by the names in it, or `None` for another folder."""
    return next((kind for mark, kind in _MARKS.items() if mark in entries), None)
