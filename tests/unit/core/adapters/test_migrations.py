"""Migrations of each engine are numbered without gaps: their count is the format's number."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from core.adapters.postgres.connections import migrate
from core.adapters.sqlite.connections import database


@pytest.mark.parametrize("scripts", [migrate.MIGRATIONS, database.MIGRATIONS])
def test_each_number_occurs_once(scripts: Sequence[Path]) -> None:
    assert [int(path.name.partition("_")[0]) for path in scripts] == [
        number for number, _ in enumerate(scripts, start=1)
    ]
