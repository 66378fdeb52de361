"""Simulated time."""

import time

import pytest


@pytest.fixture
def sleeps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the clients' delays in seconds; the simulated clock advances by them."""
    made: list[float] = []
    clock = time.monotonic

    async def sleep(delay: float) -> None:
        made.append(delay)

    monkeypatch.setattr("nalanda._sync.transport.time.sleep", made.append)
    monkeypatch.setattr("nalanda._async.transport.asyncio.sleep", sleep)
    for module in ("_nodes", "_sync.polling", "_async.polling"):
        monkeypatch.setattr(f"nalanda.{module}.monotonic", lambda: clock() + sum(made))
    return made
