"""Writes to a library are delayed, and at last refused, while its index cannot keep up."""

import pytest

from core.domain.changes import ChunksDeleted, ChunksPut, DocumentPut, LibraryPut
from core.domain.errors import Unavailable
from core.indexing.maintenance.back_pressure import MOST_DELAYED, BackPressure
from core.indexing.views import next_view
from core.indexing.views.catalog import Catalog
from tests.unit.core.builders import chunk, document, embedded, library


class Gauge:
    """A library, the back-pressure on it, and the delays of its writes."""

    def __init__(self) -> None:
        self.catalog = Catalog()
        self.failures: dict[str, str] = {}
        self.delays_s: list[float] = []
        self.pressure = BackPressure(
            self.catalog,
            self.failures.get,
            low_rows=10,
            most_rows=110,
            sleep=self.delays_s.append,
        )
        self.write(LibraryPut(library()), DocumentPut(document()))

    def write(self, *changes: LibraryPut | DocumentPut | ChunksPut | ChunksDeleted) -> None:
        self.catalog.apply(self.catalog.position + 1, changes)

    def put(self, start: int, stop: int) -> None:
        rows = [embedded(chunk(f"c{i:03}"), (i, 1)) for i in range(start, stop)]
        self.write(ChunksPut("L", rows))

    def freeze(self) -> None:
        """Freeze the delta, as a build does when it begins."""
        self.catalog.revise("L", next_view.freeze_delta)


@pytest.fixture
def gauge() -> Gauge:
    return Gauge()


def test_a_few_rows_are_no_matter(gauge: Gauge) -> None:
    gauge.pressure.admit("L", 500)
    gauge.put(0, 10)
    gauge.pressure.admit("L", 500)
    gauge.pressure.admit("unknown", 500)
    assert gauge.delays_s == []


def test_more_delay_a_write_by_their_number_and_its_own(gauge: Gauge) -> None:
    gauge.put(0, 60)
    gauge.pressure.admit("L", 100)
    gauge.pressure.admit("L", 1)
    gauge.pressure.admit("L", 100_000)
    gauge.put(60, 85)
    gauge.pressure.admit("L", 100)
    assert gauge.delays_s == pytest.approx([0.1, 0.001, 1.0, 0.15])


def test_as_many_as_may_refuse_it_unless_it_brings_none(gauge: Gauge) -> None:
    gauge.put(0, 110)
    with pytest.raises(Unavailable, match="110 rows of the library wait") as refused:
        gauge.pressure.admit("L", 1)
    assert refused.value.retry_after_s >= 1
    gauge.pressure.admit("L", 0)
    gauge.write(ChunksDeleted("L", [f"c{i:03}" for i in range(100)]))
    gauge.pressure.admit("L", 1)
    assert gauge.delays_s == []


def test_rows_that_are_being_built_are_no_matter_unless_that_fails(gauge: Gauge) -> None:
    gauge.put(0, 200)
    gauge.freeze()
    gauge.put(200, 205)
    gauge.pressure.admit("L", 1)
    assert gauge.delays_s == []
    gauge.failures["L"] = "OSError: no space left"
    with pytest.raises(Unavailable, match=r"205 rows .* can't be built: OSError: no space left"):
        gauge.pressure.admit("L", 1)


def test_few_writes_are_delayed_at_once_and_the_rest_is_refused(gauge: Gauge) -> None:
    depth, refused = 0, 0

    def sleep(_: float) -> None:
        """Admit another write during the delay of this one."""
        nonlocal depth, refused
        depth += 1
        try:
            pressure.admit("L", 1)
        except Unavailable:
            refused += 1

    pressure = BackPressure(gauge.catalog, lambda _: None, low_rows=1, most_rows=9, sleep=sleep)
    gauge.put(0, 5)
    pressure.admit("L", 1)
    assert (depth, refused) == (MOST_DELAYED, 1)
    pressure.admit("L", 1)
    assert (depth, refused) == (2 * MOST_DELAYED, 2)
