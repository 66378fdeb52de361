"""Time that passes at once."""

import time

import pytest


@pytest.fixture
def sleeps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that the clients would have made, in seconds; the clock goes on by them."""
    made: list[float] = []
    clock = time.monotonic

    async def sleep(delay: float) -> None:
        made.append(delay)

    monkeypatch.setattr("nalanda._sync.transport.time.sleep", made.append)
    monkeypatch.setattr("nalanda._async.transport.asyncio.sleep", sleep)
    for module in ("_sync", "_async"):
        for name in ("transport", "queries"):
            monkeypatch.setattr(f"nalanda.{module}.{name}.monotonic", lambda: clock() + sum(made))
    return made
