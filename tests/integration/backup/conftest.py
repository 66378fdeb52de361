"""A case for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.backup.case import Case


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    made = Case(tmp_path)
    yield made
    made.store.close()
