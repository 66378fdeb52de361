"""Both stores, under one name: what the contract's tests say holds for each."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.adapters.sqlite import SqliteStore
from core.ports.store import Store
from tests.fakes import FakeStore


@pytest.fixture(params=["sqlite", "fake"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened: Store = SqliteStore(tmp_path) if request.param == "sqlite" else FakeStore()
    yield opened
    opened.close()


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path)
    yield opened
    opened.close()
