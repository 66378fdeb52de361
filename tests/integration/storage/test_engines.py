"""Tests of a store on a database that need its clock or its end."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from core.domain.errors import Conflict, NotFound, StorageError
from core.ports.store import Replay, Store
from tests.integration.storage.conftest import open_store
from tests.samples import THEN


def test_a_closed_store_says_so(engine: Store) -> None:
    engine.close()
    with pytest.raises(StorageError, match="closed"), engine.read():
        pass
    with pytest.raises(StorageError, match="closed"), engine.write():
        pass


def test_a_read_that_outlives_the_store_ends_well(engine: Store) -> None:
    with engine.read() as snapshot:
        engine.close()
        with pytest.raises(NotFound):
            snapshot.libraries.get("?")


@pytest.mark.parametrize("name", ["sqlite", "postgres"])
def test_an_answer_is_replayed_for_a_day(
    request: pytest.FixtureRequest, tmp_path: Path, name: str
) -> None:
    now = THEN

    def clock() -> datetime:
        return now

    replay = Replay("f", 201, {}, b"")
    store = open_store(name, request, tmp_path, clock)
    try:
        with store.write() as unit:
            unit.replays.put("key", replay)
            unit.commit()
        now = THEN + timedelta(hours=24) - timedelta(microseconds=1)
        with store.write() as unit:
            assert unit.replays.get("key") == replay
            with pytest.raises(Conflict):
                unit.replays.put("key", replay)
        now = THEN + timedelta(hours=24)
        with store.write() as unit:
            assert unit.replays.get("key") is None
            unit.replays.put("key", replay)
            unit.commit()
        with store.read() as snapshot:
            assert snapshot.replays.get("key") == replay
    finally:
        store.close()
