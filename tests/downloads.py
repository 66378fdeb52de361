"""Folders of the environment that the first test that needs them fills from packages."""

import fcntl
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory


def fill_once(name: str, fill: Callable[[Path], None]) -> Path:
    """Return a folder of the environment; of the processes that test at once, one fills it.

    Args:
        name: The folder's name, which says the version of what is in it.
        fill: Puts the files into the folder that it gets. If it fails, nothing is left.
    """
    folder = Path(sys.prefix, name)
    with folder.with_name(f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            with TemporaryDirectory(dir=folder.parent, prefix=f"{name}-") as temporary:
                filling = Path(temporary, "folder")
                filling.mkdir()
                fill(filling)
                filling.rename(folder)
    return folder
