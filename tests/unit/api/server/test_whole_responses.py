"""A response's head and body are written together, and never held for long."""

import asyncio
from collections.abc import Iterable

from api.server.whole_responses import HeadWithBody


class _Wire(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.closed
        self.writes.append(bytes(data))

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        self.write(b"".join(list_of_data))

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def get_write_buffer_size(self) -> int:
        return 7


def _both() -> tuple[_Wire, HeadWithBody]:
    wire = _Wire()
    return wire, HeadWithBody(wire, asyncio.get_running_loop())


async def test_the_head_goes_with_the_body() -> None:
    wire, transport = _both()
    transport.write(b"head ")
    assert not wire.writes
    transport.write(b"body")
    assert wire.writes == [b"head body"]
    await asyncio.sleep(0)
    assert wire.writes == [b"head body"]


async def test_a_head_without_a_body_goes_at_once_with_the_nothing_that_follows() -> None:
    wire, transport = _both()
    transport.write(b"head")
    transport.write(b"")
    assert wire.writes == [b"head"]


async def test_what_nothing_follows_goes_when_the_turn_is_over() -> None:
    wire, transport = _both()
    transport.write(b"the begin of a stream")
    await asyncio.sleep(0)
    assert wire.writes == [b"the begin of a stream"]


async def test_the_parts_of_a_stream_go_in_their_order() -> None:
    wire, transport = _both()
    for part in (b"a", b"b", b"c"):
        transport.write(part)
    transport.writelines([b"d", b"e"])
    await asyncio.sleep(0)
    assert b"".join(wire.writes) == b"abcde"


async def test_what_is_held_goes_before_it_closes() -> None:
    wire, transport = _both()
    transport.write(b"head")
    transport.close()
    assert wire.writes == [b"head"]
    assert transport.is_closing()
    await asyncio.sleep(0)
    assert wire.writes == [b"head"]


async def test_what_is_held_is_forgotten_where_the_client_has_gone() -> None:
    wire, transport = _both()
    transport.write(b"head")
    wire.close()
    await asyncio.sleep(0)
    assert not wire.writes


async def test_what_is_held_counts_as_waiting() -> None:
    _, transport = _both()
    transport.write(b"head")
    assert transport.get_write_buffer_size() == 7 + 4
