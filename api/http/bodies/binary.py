"""Searches with a binary embedding: a line of JSON, then the numbers as little-endian float32."""

from base64 import b64encode

from fastapi import status
from starlette.exceptions import HTTPException

OCTETS = "application/octet-stream"

DESCRIPTION = (
    "The search without its `embedding`, as a JSON object on one line, a line feed, and the "
    "numbers of the embedding as little-endian float32."
)
_MALFORMED = (
    "A binary search is a JSON object on one line, a line feed, and the embedding as little-endian "
    "float32."
)


def split(body: bytes) -> tuple[bytes, bytes] | None:
    """Return the line of JSON and the packed numbers; `None` if there is no such line."""
    line, line_feed, packed = body.partition(b"\n")
    return (line, packed) if line_feed else None


def to_json(body: bytes) -> bytes:
    """Return a binary search as JSON, with its embedding in base64.

    Raises:
        HTTPException: 400, the body does not begin with an object on one line.
    """
    parts = split(body)
    line = b"" if parts is None else parts[0].strip()
    if parts is None or not (line.startswith(b"{") and line.endswith(b"}")):
        raise HTTPException(status.HTTP_400_BAD_REQUEST, _MALFORMED)
    inside = line[1:-1].strip()
    embedding = b'"embedding":"%b"}' % b64encode(parts[1])
    return b"{%b,%b" % (inside, embedding) if inside else b"{" + embedding
