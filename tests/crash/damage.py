"""Damage to files between two starts: flipped bits and truncations."""

import random
import re
import struct
from dataclasses import dataclass, replace
from pathlib import Path

LOG = "nalanda.db-wal"
CHECKPOINTS = "checkpoints"
"""Folder of derived data, which can be rebuilt from the record."""

MANIFEST = ".checkpoint"
_FILE = re.compile(rb"[-\w]+\.(?:rows|index|attributes|words)")
_LOG_SHARE = 0.35

WAL_HEADER_BYTES = 32
FRAME_HEADER_BYTES = 24
_LATE_FRAMES = 12
"""Frames of the log's tail, about three commits."""


@dataclass(frozen=True, slots=True)
class Damage:
    """Damage to the file `path`; `what` describes it; `matters`: each start reads that part."""

    path: Path
    what: str
    matters: bool = True

    def __str__(self) -> str:
        return f"{self.path.name}: {self.what}"


def damage_somewhere(data_dir: Path, rng: random.Random) -> Damage | None:
    """Damage the tail of SQLite's log or a checkpoint's file; return `None` if neither exists."""
    if rng.random() < _LOG_SHARE and (of_log := damage_tail(data_dir / LOG, rng)):
        return of_log
    return damage_checkpoint(data_dir / CHECKPOINTS, rng) or damage_tail(data_dir / LOG, rng)


def damage_checkpoint(directory: Path, rng: random.Random) -> Damage | None:
    """Damage a file of a checkpoint.

    Each start reads the manifests, and the files that the newest one names.
    """
    paths = [path for path in sorted(directory.glob("*")) if path.is_file() and path.stat().st_size]
    if not paths:
        return None
    manifests = sorted(directory.glob(f"*{MANIFEST}"))
    named = _FILE.findall(manifests[-1].read_bytes()) if manifests else []
    # A start does not read the other files of a segment that has already lost one.
    whole = all((directory / name.decode()).exists() for name in named)
    path = rng.choice(paths)
    matters = path in manifests or (whole and path.name.encode() in named)
    return replace(damage(path, rng), matters=matters)


def damage(path: Path, rng: random.Random, start: int = 0) -> Damage:
    """Flip a bit or truncate, at a random offset after `start`."""
    size = path.stat().st_size
    place = rng.randrange(min(start, size - 1), size)
    if rng.random() < 0.5:
        with path.open("r+b") as file:
            file.truncate(place)
        return Damage(path, f"cut off at {place} of {size} bytes")
    bit = rng.randrange(8)
    with path.open("r+b") as file:
        file.seek(place)
        byte = file.read(1)[0]
        file.seek(place)
        file.write(bytes([byte ^ 1 << bit]))
    return Damage(path, f"bit {bit} of byte {place} of {size} flipped")


def damage_tail(wal: Path, rng: random.Random) -> Damage | None:
    """Damage the last frames of SQLite's log that are not in the database yet.

    Damage to a checkpointed frame would leave two versions with no way to choose. Return `None` if
    there are no such frames.

    The file's format: https://www.sqlite.org/walformat.html
    """
    shared = wal.with_name(wal.name.removesuffix("-wal") + "-shm")
    if not wal.exists() or not shared.exists() or wal.stat().st_size <= WAL_HEADER_BYTES:
        return None
    index = shared.read_bytes()
    (page_bytes,) = struct.unpack_from("=H", index, 14)
    (frames,) = struct.unpack_from("=I", index, 16)
    (copied,) = struct.unpack_from("=I", index, 96)
    first = max(copied, frames - _LATE_FRAMES)
    if first >= frames:
        return None
    frame_bytes = FRAME_HEADER_BYTES + page_bytes
    end = WAL_HEADER_BYTES + frames * frame_bytes
    with wal.open("r+b") as file:
        file.truncate(end)  # frames of an earlier generation follow, which no reader uses
    return damage(wal, rng, WAL_HEADER_BYTES + first * frame_bytes)
