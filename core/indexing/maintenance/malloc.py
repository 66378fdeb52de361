"""Returns freed memory, which the allocator would keep, to the operating system."""

import ctypes
import sys

_C = ctypes.CDLL(None) if sys.platform == "linux" else None


def trim() -> None:
    """Return freed memory to the system after a build; takes milliseconds, without the GIL."""
    # Only glibc has `malloc_trim`: its allocator keeps free memory below a block in use.
    trim = getattr(_C, "malloc_trim", None)
    if trim is not None:
        trim(0)
