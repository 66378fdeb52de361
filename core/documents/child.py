"""The process that parses: reads documents from stdin, and writes their blocks to stdout.

A request for a page is answered with its picture.
"""

import os
import resource
import struct
import sys
from base64 import b64encode
from contextlib import suppress
from typing import Any, BinaryIO

import orjson

from core.documents.errors import UnusableFile
from core.documents.kinds import parse_content
from core.documents.picture import picture_of

_LENGTH = struct.Struct(">Q")
_NICENESS = 10
"""Parsers take the time of cores that questions and searches leave."""


def main(memory_bytes: int) -> None:
    """Parse until stdin ends."""
    _limit(memory_bytes)
    os.nice(_NICENESS)
    source, sink = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # nothing that a library prints is an answer
    while (request := _read(source)) is not None:
        content = _read(source) or b""
        answer = orjson.dumps(_answer(content, orjson.loads(request)))
        sink.write(_LENGTH.pack(len(answer)) + answer)
        sink.flush()


def _answer(content: bytes, request: dict[str, Any]) -> dict[str, Any]:
    try:
        if (page := request.get("page")) is not None:
            picture = picture_of(content, page)
            return {"png": b64encode(picture.png).decode(), "scale": picture.scale}
        document = parse_content(content, request["name"], request["media_type"])
    except UnusableFile as error:
        return {"reason": str(error)}
    except MemoryError:
        return {"reason": "The file needs too much memory to read."}
    except RecursionError:
        return {"reason": "The file is nested too deeply."}
    except Exception as error:  # noqa: BLE001 - whatever a parser raises for a damaged file
        return {"reason": f"The file is damaged: {type(error).__name__}: {error}"[:500]}
    return {"title": document.title, "blocks": document.blocks}


def _limit(memory_bytes: int) -> None:
    """Bound the address space; macOS does not let a process do that."""
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _read(source: BinaryIO) -> bytes | None:
    head = source.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    return source.read(_LENGTH.unpack(head)[0])


if __name__ == "__main__":
    main(int(sys.argv[1]))
