"""Fetches a checkpoint of another node, so that a follower need not build its segments."""

import logging
import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from core.domain.errors import NalandaError
from core.indexing.checkpoints.paths import SUFFIX, newest_in
from core.ports.checkpoint_source import CheckpointSource
from core.ports.store import Snapshot

DIRECTORY = "fetched"
"""The folder of files that are being fetched, below the data directory."""

_TRIES = 3
"""The checkpoints that are begun, where each is replaced by a newer one before its end."""

_log = logging.getLogger(__name__)


def needs_checkpoint(directory: Path, snapshot: Snapshot) -> bool:
    """Return whether the log does not go on from the newest checkpoint of the directory."""
    newest = newest_in(directory)
    if newest is None or not newest.stem.isdigit():
        return snapshot.position > 0
    oldest = snapshot.log.oldest
    return oldest is None or not oldest <= int(newest.stem) <= snapshot.position


def try_to_fetch(
    source: CheckpointSource, directory: Path, holds: Callable[[str], bool] | None = None
) -> bool:
    """Fetch the newest checkpoint into the directory; return whether there is one now.

    Without one the record has to be read. Nothing remains of a checkpoint that can't be fetched.
    `holds`: whether to fetch the library with an id; `None`: all.
    """
    working = directory.parent / DIRECTORY
    shutil.rmtree(working, ignore_errors=True)
    try:
        working.mkdir()
        name = _fetch_newest(source, working, directory, holds)
    except (OSError, NalandaError) as error:
        _log.warning("No checkpoint can be fetched from %s: %s", source, error)
        return False
    finally:
        shutil.rmtree(working, ignore_errors=True)
    if name is not None:
        _log.info("The checkpoint %s was fetched from %s.", name, source)
    return name is not None


def _fetch_newest(
    source: CheckpointSource,
    working: Path,
    directory: Path,
    holds: Callable[[str], bool] | None,
) -> str | None:
    """Fetch the newest checkpoint, or a newer one if it is replaced meanwhile; return its name.

    Raises:
        OSError: no room, or the source can't be read.
        NalandaError: the source refuses.
    """
    for _ in range(_TRIES):
        name = source.newest()
        if name is None:
            return None
        try:
            _fetch(source, name, working, holds)
        except FileNotFoundError as error:
            missing = error
        else:
            _install(working, name, directory)
            return name
    raise missing


def _fetch(
    source: CheckpointSource, name: str, working: Path, holds: Callable[[str], bool] | None
) -> None:
    """Fetch a checkpoint's files that are not in the working folder, and verify all of them.

    Raises:
        OSError: a file can't be fetched to its end, or is damaged.
    """
    # Imported late: the import of the kernels takes half of a process's start.
    from core.indexing.checkpoints.manifest import read_manifest, verify_files, write_manifest
    from core.indexing.container.container import DamagedFile

    _check_name(name, SUFFIX)
    _copy(source, name, working)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        try:
            manifest = read_manifest(working / name, pool)
            if holds is not None:
                manifest = manifest.only(holds)
                write_manifest(working, manifest).replace(working / name)
            for file in sorted(manifest.files):
                _check_name(file)
                if not (working / file).exists():
                    _copy(source, file, working)
            verify_files(working, manifest, pool)
        except DamagedFile as error:
            raise OSError(f"It is damaged: {error}") from error


def _copy(source: CheckpointSource, name: str, working: Path) -> None:
    path = working / name
    try:
        with source.open(name) as pieces, path.open("wb") as file:
            for piece in pieces:
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _check_name(name: str, suffix: str = "") -> None:
    """Check that a name is that of a file in the same folder.

    Raises:
        OSError: it is not.
    """
    if Path(name).name != name or name.startswith(".") or not name.endswith(suffix):
        raise OSError(f"{name[:100]!r} is not a name of a checkpoint's file")


def _install(working: Path, name: str, directory: Path) -> None:
    """Move the files into the checkpoints' folder; the manifest, which names the others, last."""
    from core.indexing.container.durable import sync

    files = [path for path in working.iterdir() if path.name != name and path.suffix != SUFFIX]
    for path in files:
        path.replace(directory / path.name)
    sync(directory)
    (working / name).replace(directory / name)
    sync(directory)
