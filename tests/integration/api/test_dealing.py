"""Connections dealt to several processes, here sources in one process."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from api.server.dealing import Dealer, Dealt
from tests import waiting

DEADLINE_S = 30


class Taken:
    """The connections that a source has given, and whether it has ended."""

    def __init__(self) -> None:
        self.connections: list[socket.socket] = []
        self.ended = asyncio.Event()

    def accept(self, connection: socket.socket) -> None:
        self.connections.append(connection)


@asynccontextmanager
async def dealing() -> AsyncIterator[tuple[Dealer, Taken, tuple[str, int]]]:
    """Yield a dealer that has started, what it takes itself, and its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        dealer, own = Dealer(listener), Taken()
        address = listener.getsockname()
        dealer.start(own.accept, own.ended.set)
        yield dealer, own, address
        dealer.stop()
    for connection in own.connections:
        connection.close()


def join(dealer: Dealer) -> tuple[Dealt, Taken]:
    ours, theirs = socket.socketpair()
    dealt, taken = Dealt(theirs), Taken()
    dealer.offer(ours)
    dealt.start(taken.accept, taken.ended.set)
    return dealt, taken


async def until(*counts: tuple[Taken, int]) -> None:
    await asyncio.to_thread(
        waiting.until, lambda: all(len(taken.connections) == count for taken, count in counts)
    )


async def connect(address: tuple[str, int], count: int) -> list[socket.socket]:
    return [await asyncio.to_thread(socket.create_connection, address) for _ in range(count)]


async def pause() -> None:
    """Let the sources hear what has been sent so far."""
    for _ in range(20):
        await asyncio.sleep(0.001)


async def test_connections_are_dealt_in_turn() -> None:
    async with dealing() as (dealer, own, address):
        sources = [join(dealer) for _ in range(2)]
        await pause()
        clients = await connect(address, 9)
        await until((own, 3), *((taken, 3) for _, taken in sources))
        for number, taken in enumerate([own, *(taken for _, taken in sources)]):
            for connection in taken.connections:
                connection.sendall(b"%d" % number)
        heard = [await asyncio.to_thread(client.recv, 1) for client in clients]
        assert sorted(heard) == [b"0"] * 3 + [b"1"] * 3 + [b"2"] * 3
        for dealt, taken in sources:
            dealt.stop()
            for connection in taken.connections:
                connection.close()
        for client in clients:
            client.close()


async def test_a_source_that_is_not_ready_gets_none() -> None:
    async with dealing() as (dealer, own, address):
        ours, theirs = socket.socketpair()
        dealer.offer(ours)
        clients = await connect(address, 4)
        await until((own, 4))
        theirs.close()
        for client in clients:
            client.close()


@pytest.mark.parametrize("gently", [True, False])
async def test_the_connections_of_a_source_that_ends_are_the_dealers(gently: bool) -> None:
    async with dealing() as (dealer, own, address):
        dealt, taken = join(dealer)
        await pause()
        if gently:
            await asyncio.to_thread(dealer.withdraw)
            async with asyncio.timeout(DEADLINE_S):
                await taken.ended.wait()
        else:
            dealt.stop()
        clients = await connect(address, 4)
        await until((own, 4), (taken, 0))
        for client in clients:
            client.close()


async def test_a_source_hears_that_the_dealer_has_ended() -> None:
    async with dealing() as (dealer, _, _):
        _, taken = join(dealer)
        await pause()
    async with asyncio.timeout(DEADLINE_S):
        await taken.ended.wait()
