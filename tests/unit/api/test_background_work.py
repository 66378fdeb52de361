"""Background work of the API ends with it, whatever a library does with a cancellation."""

import asyncio

import pytest

from api import main


async def test_work_that_loses_a_cancellation_ends_as_well(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(main, "CANCEL_AGAIN_S", 0.01)
    lost = 0

    async def work() -> None:
        nonlocal lost
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                if lost == 2:
                    raise
                lost += 1

    async with main._running(work()):
        await asyncio.sleep(0)
    assert lost == 2


async def test_work_that_has_failed_does_not_fail_the_end() -> None:
    async def work() -> None:
        raise ValueError

    async with main._running(work()):
        await asyncio.sleep(0.01)
