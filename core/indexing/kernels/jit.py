"""How kernels are compiled, and where what is compiled is kept for the next start."""

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
    """One for each version of all kernels and each code path.

    numba looks at the file of the compiled function alone: it would go on using what was
    compiled of another file, or for another path.
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
    """Compiled at the first call for its types; runs without the GIL; errors are undefined."""
    compiled: Callable[P, R] = numba.njit(nogil=True, cache=True, error_model="numpy")(function)
    return compiled
