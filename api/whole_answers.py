"""Answers in one piece: the head, which uvicorn writes by itself, goes with the body.

A client that has the head alone wakes for it, waits for the rest, and on the same core takes the
processor from the thread that is to write that.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any


class HeadWithBody(asyncio.Transport):
    """Holds what is written first until more is written, or until this turn of the loop is over."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._transport = transport
        self._loop = loop
        self._held = b""
        # What asyncio.Transport has for itself, and does not do.
        self.is_closing: Callable[[], bool] = transport.is_closing
        self.get_extra_info: Callable[..., Any] = transport.get_extra_info
        self.pause_reading: Callable[[], None] = transport.pause_reading
        self.resume_reading: Callable[[], None] = transport.resume_reading
        self.set_protocol = transport.set_protocol  # type: ignore[method-assign]
        self.abort: Callable[[], None] = transport.abort

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._held:
            held, self._held = self._held, b""
            self._transport.writelines([held, data])
        elif data:
            self._held = bytes(data)
            self._loop.call_soon(self._flush)

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        self.write(b"".join(list_of_data))

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def get_write_buffer_size(self) -> int:
        return len(self._held) + self._transport.get_write_buffer_size()

    def _flush(self) -> None:
        held, self._held = self._held, b""
        if held and not self.is_closing():
            self._transport.write(held)
