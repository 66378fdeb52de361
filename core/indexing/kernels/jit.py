"""The compilation of kernels, and the cache of compiled kernels."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

import numba

from core.indexing.kernels.cpu import CODE_PATH

P = ParamSpec("P")
R = TypeVar("R")


def _cache_dir() -> Path:
    """Return the cache directory, one for each version of all kernels and each code path.

    numba only checks the file of the compiled function. It would reuse code compiled from older
    versions of other files, or for another code path.
    """
    sources = sorted(Path(__file__).parent.glob("*.py"))
    text = b"".join(source.read_bytes() for source in sources)
    version = hashlib.sha256(text + numba.__version__.encode()).hexdigest()[:16]
    return _cache_root() / f"{version}-{CODE_PATH}"


def _cache_root() -> Path:
    if wanted := os.environ.get("NUMBA_CACHE_DIR"):
        return Path(wanted)
    user_cache = os.environ.get("XDG_CACHE_HOME")
    base = Path(user_cache) if user_cache else Path("~/.cache").expanduser()
    return base / "nalanda" / "kernels"


CACHE_DIR: Final = _cache_dir()
numba.config.CACHE_DIR = str(CACHE_DIR)  # type: ignore[attr-defined]  # made at run time


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function at its first call; it runs without the GIL, and must not raise."""
    compiled: Callable[P, R] = numba.njit(nogil=True, cache=True, error_model="numpy")(function)
    return compiled
