"""A case per test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.backup.case import Case


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    made = Case(tmp_path)
    yield made
    made.store.close()


@pytest.fixture(params=["sqlite", "postgres"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Case]:
    """Yield a case on each engine."""
    on_postgres = request.param == "postgres"
    made = Case(tmp_path, request.getfixturevalue("postgres_url") if on_postgres else None)
    yield made
    made.store.close()
