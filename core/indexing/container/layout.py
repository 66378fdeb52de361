"""The bytes of a container file, which `docs/reference/files.md` describes."""

import struct
from typing import Final

import numpy as np

VERSION: Final = 1
MAGIC: Final = b"\x89NLD\r\n\x1a\n"
"""Not text, and damaged by what takes it for text, as PNG's."""
ALIGNMENT: Final = 64
"""Where arrays begin: at a multiple of a cache line."""
BLOCK_BYTES: Final = 1 << 20
"""So much has one checksum."""

HEAD: Final = struct.Struct("<8sI52x")
"""The magic number and the version."""
ENDS: Final = struct.Struct("<QQI")
"""The file's size, the body's, and the table's checksum."""
SEAL: Final = struct.Struct("<I8s")
"""The checksum of those three, and the magic number once more."""
TAIL_BYTES: Final = ENDS.size + SEAL.size

CHECKSUM: Final = np.dtype("<u4")
"""A CRC-32, as zlib's."""
KINDS_OF_DTYPE: Final = frozenset("biufcSUmM")
"""Those whose items are their bytes, and nothing that these refer to."""


def blocks_of(body_bytes: int) -> int:
    """How many checksums a body has."""
    return -(-body_bytes // BLOCK_BYTES)
