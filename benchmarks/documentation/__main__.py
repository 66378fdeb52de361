"""Fetches the documentation sets: `python -m benchmarks.documentation FOLDER [NAME…]`.

Each set is the documentation in a package of a registry. Its questions are in
`questions/NAME.jsonl`; those in `questions/foreign.jsonl` are about nothing in any set. A set that
is there already is not fetched again.
"""

import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

Fetch = Callable[[Path], None]


@dataclass(frozen=True, slots=True)
class DocumentationSet:
    """A folder of a package; files named `*{renamed[0]}` get the suffix `renamed[1]`."""

    fetch: Fetch
    folder: str
    renamed: tuple[str, str] | None = None


def _npm(package: str, folder: Path) -> None:
    _run(["npm", "pack", "--silent", package], folder)
    _unpack(folder, "*.tgz")


def _sdist(package: str, folder: Path) -> None:
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary=:all:"]
    _run([*pip, package], folder)
    _unpack(folder, "*.tar.gz")


def _debian(package: str, folder: Path) -> None:
    _run(["apt-get", "download", "-qq", package], folder)
    (archive,) = folder.glob("*.deb")
    _run(["dpkg-deb", "-x", str(archive), "."], folder)


SETS: Mapping[str, DocumentationSet] = {
    "next": DocumentationSet(partial(_npm, "next@16"), "package/dist/docs"),
    "django": DocumentationSet(partial(_sdist, "Django==5.2.8"), "*/docs", (".txt", ".rst")),
    "pytest": DocumentationSet(partial(_sdist, "pytest==8.3.4"), "*/doc/en"),
    "gimp-de": DocumentationSet(partial(_debian, "gimp-help-de"), "usr/share/gimp/2.0/help/de"),
    "intlayer-zh": DocumentationSet(partial(_npm, "@intlayer/docs@8"), "package/docs/zh"),
}


def main(arguments: list[str]) -> int:
    if not arguments or not set(arguments[1:]) <= SETS.keys():
        print(
            f"usage: python -m benchmarks.documentation FOLDER [{'|'.join(SETS)} …]",
            file=sys.stderr,
        )
        return 2
    target, names = Path(arguments[0]), arguments[1:] or list(SETS)
    target.mkdir(parents=True, exist_ok=True)
    for name in names:
        if not (target / name).exists():
            _fetch(SETS[name], target / name)
        files = sum(path.is_file() for path in (target / name).rglob("*"))
        print(f"{name}: {files:,} files in {target / name}")
    return 0


def _fetch(wanted: DocumentationSet, target: Path) -> None:
    with tempfile.TemporaryDirectory(dir=target.parent) as name:
        folder = Path(name)
        wanted.fetch(folder)
        (documentation,) = folder.glob(wanted.folder)
        if wanted.renamed:
            _rename(documentation, *wanted.renamed)
        shutil.move(documentation, target)


def _rename(folder: Path, before: str, after: str) -> None:
    for path in list(folder.rglob(f"*{before}")):
        path.rename(path.with_suffix(after))


def _unpack(folder: Path, pattern: str) -> None:
    (archive,) = folder.glob(pattern)
    with tarfile.open(archive) as file:
        file.extractall(folder, filter="data")


def _run(command: list[str], folder: Path) -> None:
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
