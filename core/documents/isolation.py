"""Parses documents in processes of their own, with bounds on time and memory.

A parser that hangs, crashes or takes too much memory fails its file alone: its process is ended,
and the next file gets another. A process has no settings or keys in its environment.
"""

import atexit
import os
import select
import struct
import subprocess
import sys
import threading
import time
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import IO, Any

import orjson

from core.documents.errors import UnusableFile
from core.documents.model import Block, ParsedDocument, Picture
from core.domain.place import BoxedText

TIMEOUT_S = 120.0
MEMORY_BYTES = 2 * 2**30
_MOST_DOCUMENTS = 500
"""Documents after which a process is replaced, so that no leak adds up."""
_LENGTH = struct.Struct(">Q")
_INHERITED = ("PATH", "PYTHONPATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR")


@dataclass(slots=True)
class _Child:
    """A process that parses one document after another."""

    process: subprocess.Popen[bytes]
    documents: int = 0


class ParserPool:
    """Processes that parse; safe for threads, each of which waits for a process if all are busy."""

    def __init__(
        self,
        size: int | None = None,
        *,
        timeout_s: float = TIMEOUT_S,
        memory_bytes: int = MEMORY_BYTES,
    ) -> None:
        self._timeout_s = timeout_s
        self._memory_bytes = memory_bytes
        self._free = threading.BoundedSemaphore(size or os.cpu_count() or 1)
        self._lock = threading.Lock()
        self._idle: list[_Child] = []
        self._is_closed = False

    def parse(self, content: bytes, name: str, media_type: str | None = None) -> ParsedDocument:
        """Return the title and blocks of a file, as `core.documents.kinds.parse_content` does.

        Raises:
            UnusableFile: the content can't be read within the bounds.
        """
        answer = self._answer(content, {"name": name, "media_type": media_type})
        blocks = tuple(Block(**_block(fields)) for fields in answer["blocks"])
        return ParsedDocument(answer["title"], blocks)

    def picture(self, content: bytes, page: int) -> Picture:
        """Return the picture of a page of a PDF, as `core.documents.picture.picture_of` does.

        Raises:
            UnusableFile: the content can't be read within the bounds, or has no such page.
        """
        answer = self._answer(content, {"page": page})
        return Picture(b64decode(answer["png"]), answer["scale"])

    def _answer(self, content: bytes, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return a process's answer.

        Raises:
            UnusableFile: the process refuses the content, or ended because of it.
        """
        with self._free:
            child = self._take()
            try:
                answer = self._ask(child, content, request)
            except BaseException:
                _end(child)
                raise
            self._give_back(child)
        if (reason := answer.get("reason")) is not None:
            raise UnusableFile(reason)
        return answer

    def close(self) -> None:
        """End the idle processes, and those at work once they are done."""
        with self._lock:
            self._is_closed = True
            idle, self._idle = self._idle, []
        for child in idle:
            _end(child)

    def _take(self) -> _Child:
        with self._lock:
            while self._idle:
                child = self._idle.pop()
                if child.process.poll() is None:
                    return child
                _end(child)
        return _Child(_start(self._memory_bytes))

    def _give_back(self, child: _Child) -> None:
        child.documents += 1
        with self._lock:
            if not self._is_closed and child.documents < _MOST_DOCUMENTS:
                self._idle.append(child)
                return
        _end(child)

    def _ask(self, child: _Child, content: bytes, request: Mapping[str, Any]) -> dict[str, Any]:
        deadline = time.monotonic() + self._timeout_s
        stdin, stdout = child.process.stdin, child.process.stdout
        assert stdin is not None
        assert stdout is not None
        try:
            for part in (orjson.dumps(request), content):
                _write(stdin, _LENGTH.pack(len(part)) + part, deadline)
            (length,) = _LENGTH.unpack(_read(stdout, _LENGTH.size, deadline))
            answer: dict[str, Any] = orjson.loads(_read(stdout, length, deadline))
        except TimeoutError:
            raise UnusableFile(f"The file takes more than {self._timeout_s:g} s to read.") from None
        except (OSError, EOFError):
            raise UnusableFile(
                "The file ended its parser: it is damaged, or needs more than "
                f"{self._memory_bytes >> 20} MiB of memory to read."
            ) from None
        return answer


@lru_cache(maxsize=1)
def shared_pool() -> ParserPool:
    """Return the pool of this process; it ends with the process."""
    pool = ParserPool()
    atexit.register(pool.close)
    return pool


def _block(fields: dict[str, Any]) -> dict[str, Any]:
    box = fields["box"]
    boxes = tuple(map(BoxedText.from_fields, fields["boxes"]))
    return {**fields, "box": None if box is None else tuple(box), "boxes": boxes}


def _start(memory_bytes: int) -> subprocess.Popen[bytes]:
    environment = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    command = [sys.executable, "-m", "core.documents.child", str(memory_bytes)]
    process = subprocess.Popen(  # noqa: S603 - this Python, on a module of ours
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        bufsize=0,
        start_new_session=True,  # Ctrl-C is for the parent to handle
    )
    assert process.stdin is not None
    os.set_blocking(process.stdin.fileno(), False)
    return process


def _end(child: _Child) -> None:
    child.process.kill()
    for pipe in (child.process.stdin, child.process.stdout):
        if pipe is not None:
            pipe.close()
    child.process.wait()


def _write(pipe: IO[bytes], content: bytes, deadline: float) -> None:
    view = memoryview(content)
    while view:
        _wait([], [pipe], deadline)
        try:
            view = view[os.write(pipe.fileno(), view[: 1 << 16]) :]
        except BlockingIOError:
            continue


def _read(pipe: IO[bytes], length: int, deadline: float) -> bytes:
    parts: list[bytes] = []
    while length:
        _wait([pipe], [], deadline)
        part = os.read(pipe.fileno(), min(length, 1 << 20))
        if not part:
            raise EOFError
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


def _wait(readable: list[IO[bytes]], writable: list[IO[bytes]], deadline: float) -> None:
    left = deadline - time.monotonic()
    if left <= 0 or not any(select.select(readable, writable, [], left)):
        raise TimeoutError
