"""The hash chain of the log: each entry has a hash over its content and the entry before it.

Two logs with one hash at a position are equal up to the position, so a node that knows one position
and its hash notices a log that was rewritten anywhere before.
"""

from hashlib import sha256
from struct import Struct

GENESIS = bytes(32)
"""The hash before the first entry, and of entries that are older than the chain."""

_NUMBERS = Struct(">qq")


def next_hash(previous: bytes, position: int, epoch: int, at: str, changes: str) -> bytes:
    """Return the SHA-256 of an entry, 32 bytes.

    `previous`: the hash of the entry before. `at`: RFC 3339 in UTC with microseconds. `changes`:
    JSON, as stored. No two inputs are written alike, because only `changes` varies in length.
    """
    content = f"{at}{changes}".encode()
    return sha256(previous + _NUMBERS.pack(position, epoch) + content).digest()


def continues(previous: bytes, hash_: bytes, expected: bytes) -> bool:
    """Return whether an entry's hash follows the one before; `expected` is its content's.

    An entry from before the chain has none, and none before it has one.
    """
    return previous == GENESIS if hash_ == GENESIS else hash_ == expected
