"""Pictures of the pages of PDF documents, as PNG."""

import struct
import zlib
from collections.abc import Iterator

from pypdfium2 import PdfBitmap, PdfDocument, PdfiumError

from core.documents.errors import UnusableFile
from core.documents.model import Picture

MAX_SCALE = 2.0
"""The pixels of a point; a picture of an A4 page has 1190 × 1684."""
MAX_EDGE_PX = 2400

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_RGB_8_BITS = (8, 2, 0, 0, 0)


def picture_of(content: bytes, page: int) -> Picture:
    """Render a page, which counts from 1.

    Raises:
        UnusableFile: the content is no readable PDF, or has no such page.
    """
    try:
        document = PdfDocument(content)
        try:
            if not 0 < page <= len(document):
                raise UnusableFile(f"The file has {len(document)} pages.")
            shown = document[page - 1]
            scale = min(MAX_SCALE, MAX_EDGE_PX / max(shown.get_size()))
            return Picture(_png(shown.render(scale=scale, rev_byteorder=True)), scale)
        finally:
            document.close()
    except PdfiumError as error:
        raise UnusableFile(f"The page can't be drawn: {error}"[:300]) from None


def _png(bitmap: PdfBitmap) -> bytes:
    """Encode a bitmap of three bytes a pixel (https://www.w3.org/TR/png-3/)."""
    assert bitmap.n_channels == 3
    pixels, row_bytes = memoryview(bitmap.buffer).cast("B"), 3 * bitmap.width
    # Each row begins with the number of its filter: 0, none.
    rows = b"".join(
        b"\0" + pixels[start : start + row_bytes].tobytes()
        for start in range(0, bitmap.height * bitmap.stride, bitmap.stride)
    )
    head = struct.pack(">IIBBBBB", bitmap.width, bitmap.height, *_RGB_8_BITS)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows, 4)), (b"IEND", b""))
    return _SIGNATURE + b"".join(_chunks(chunks))


def _chunks(chunks: tuple[tuple[bytes, bytes], ...]) -> Iterator[bytes]:
    for kind, content in chunks:
        checksum = zlib.crc32(kind + content)
        yield struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)
