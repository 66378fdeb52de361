"""Detection of files that other users can read."""

from pathlib import Path


def open_to_others(directory: Path) -> list[Path]:
    """Return the paths at and below the directory whose mode gives other users any right."""
    every = [directory, *directory.rglob("*")]
    return sorted(path for path in every if not path.is_symlink() and path.stat().st_mode & 0o077)
