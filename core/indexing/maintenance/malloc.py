"""Gives memory that was freed back to the system, where the allocator would keep it."""

import ctypes
import sys

_C = ctypes.CDLL(None) if sys.platform == "linux" else None


def trim() -> None:
    """Some milliseconds, without the interpreter's lock; for after a build, which frees much."""
    # GNU's allocator keeps what lies below a block that is in use; others have no such call.
    trim = getattr(_C, "malloc_trim", None)
    if trim is not None:
        trim(0)
