"""Lines of a text file in any Unicode encoding, compressed or not."""

import gzip
import io
import json
import zlib
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TypeAlias

from core.domain.errors import StorageError

_GZIP = b"\x1f\x8b"
_UTF_8 = ("utf-8", "utf-8-sig")

_Readable: TypeAlias = io.BufferedReader | gzip.GzipFile


def numbered_lines(path: Path) -> Generator[tuple[int, str], None, None]:
    """Yield the lines that are not blank, each with its number from 1.

    The first bytes reveal gzip and the encoding: UTF-8, UTF-16 or UTF-32, with or without a byte
    order mark.

    Raises:
        OSError: the file can't be read.
        StorageError: a line is in another encoding, or the compressed file is damaged.
    """
    number = 0
    with ExitStack() as stack:
        file: _Readable = stack.enter_context(path.open("rb"))
        if file.peek(2)[:2] == _GZIP:
            file = stack.enter_context(gzip.GzipFile(fileobj=file))
        try:
            for line in _decode(file):
                number += 1
                if text := line.strip("\r\n\t "):
                    yield number, text
        except UnicodeDecodeError as error:
            raise StorageError(
                f"{path}: line {number + 1} is not {error.encoding.upper()} text "
                f"({error.reason}): save the file as UTF-8."
            ) from None
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise StorageError(
                f"{path}: the gzip file is damaged or cut off after line {number}: {error}"
            ) from None


def _decode(file: _Readable) -> Iterator[str]:
    encoding = json.detect_encoding(file.peek(4)[:4])
    if encoding not in _UTF_8:
        # The decoder works in blocks, so an error may name an earlier line.
        with io.TextIOWrapper(file, encoding, newline="\n") as text:
            yield from text
        return
    first = True
    for line in file:
        yield line.decode("utf-8-sig" if first else "utf-8")
        first = False
