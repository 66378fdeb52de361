"""A library with more chunks than one step stages."""

import pytest

from core.services.model_changes import staging
from tests.unit.core.services.model_changes.case import Case

TEXTS = tuple(f"{number:02}" for number in range(10))


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "BATCH_CHUNKS", 4)


@pytest.fixture(params=[16, 24], ids=["same dimension", "other dimension"])
def case(request: pytest.FixtureRequest) -> Case:
    made = Case(new_dimension=request.param)
    made.write(*TEXTS)
    return made
