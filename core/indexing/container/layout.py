"""The byte layout of a container file; `docs/reference/files.md` describes it."""

import struct
from typing import Final

import numpy as np

VERSION: Final = 1
MAGIC: Final = b"\x89NLD\r\n\x1a\n"
"""Not text, and damaged by programs that convert text, as PNG's magic number."""
ALIGNMENT: Final = 64
"""Arrays begin at a multiple of a cache line."""
BLOCK_BYTES: Final = 1 << 20
"""The bytes that one checksum covers."""

HEAD: Final = struct.Struct("<8sI52x")
"""The magic number and the version."""
ENDS: Final = struct.Struct("<QQI")
"""The file's size, the body's, and the table's checksum."""
SEAL: Final = struct.Struct("<I8s")
"""The checksum of those three, and the magic number again."""
TAIL_BYTES: Final = ENDS.size + SEAL.size

CHECKSUM: Final = np.dtype("<u4")
"""A CRC-32 as zlib computes it."""
KINDS_OF_DTYPE: Final = frozenset("biufcSUmM")
"""The kinds of dtype whose items contain no references."""


def blocks_of(body_bytes: int) -> int:
    """Return the number of a body's checksums."""
    return -(-body_bytes // BLOCK_BYTES)
