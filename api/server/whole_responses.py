"""Responses in one piece: the head, which uvicorn writes separately, and the body in one write.

A client that receives only the head wakes up and waits for the rest. On a shared core, that client
delays the thread that writes the rest.
"""

import asyncio
from collections.abc import Iterable
from typing import Any


class HeadWithBody(asyncio.Transport):
    """A transport that holds its first write until the second one, or until this turn of the loop
    ends.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._transport = transport
        self._loop = loop
        self._buffer = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._buffer:
            buffer, self._buffer = self._buffer, b""
            self._transport.writelines([buffer, data])
        elif data:
            self._buffer = bytes(data)
            self._loop.call_soon(self._flush)

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        """Write a whole response at once."""
        self._flush()
        self._transport.writelines(list_of_data)

    def write_eof(self) -> None:
        self._flush()
        self._transport.write_eof()

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def get_write_buffer_size(self) -> int:
        return len(self._buffer) + self._transport.get_write_buffer_size()

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def abort(self) -> None:
        self._transport.abort()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._transport.get_extra_info(name, default)

    def pause_reading(self) -> None:
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        self._transport.resume_reading()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._transport.set_protocol(protocol)

    def _flush(self) -> None:
        buffer, self._buffer = self._buffer, b""
        if buffer and not self.is_closing():
            self._transport.write(buffer)
