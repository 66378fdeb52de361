"""The stores, under one name: what the contract's tests say holds for each."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.adapters.postgres import PostgresStore
from core.adapters.sqlite import SqliteStore
from core.ports.store import Store
from tests.fakes import FakeStore


@pytest.fixture(params=["sqlite", "postgres", "fake"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened = FakeStore() if request.param == "fake" else opened_on(request, tmp_path)
    yield opened
    opened.close()


@pytest.fixture(params=["sqlite", "postgres"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """One on a database, which threads may use at the same time."""
    opened = opened_on(request, tmp_path)
    yield opened
    opened.close()


def opened_on(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "sqlite":
        return SqliteStore(tmp_path)
    return PostgresStore(request.getfixturevalue("postgres_url"), tmp_path)


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def postgres_store(postgres_url: str, tmp_path: Path) -> Iterator[PostgresStore]:
    opened = PostgresStore(postgres_url, tmp_path)
    yield opened
    opened.close()
