import numpy as np

from core.indexing.ivf.tuning import DEPTHS, Tuning, tune
from core.indexing.vectors.vector_index import SearchParams

TUNING = Tuning((1, 2, 4, 8), ((0.5, 0.7, 0.8, 0.9), (0.5, 0.8, 0.9, 1.0)), 50.0)


def test_the_cheapest_that_reaches_the_target() -> None:
    assert TUNING.of(SearchParams(target_recall=0.7), 10) == (2, DEPTHS[0])
    assert TUNING.of(SearchParams(target_recall=0.95), 10) == (6, DEPTHS[1])


def test_all_there_is_if_nothing_reaches_it() -> None:
    worse = Tuning((1, 2), ((0.5, 0.7), (0.5, 0.8)), 50.0)
    assert worse.of(SearchParams(target_recall=0.9), 10) == (2, DEPTHS[1])


def test_what_is_given_goes_first() -> None:
    assert TUNING.of(SearchParams(nprobe=1, target_recall=0.99), 10) == (1, DEPTHS[1])
    assert TUNING.of(SearchParams(nprobe=1_000), 10) == (8, DEPTHS[1])


def test_more_hits_and_a_boost_take_more() -> None:
    nprobe, depth = TUNING.of(SearchParams(target_recall=0.7), 40)
    assert (nprobe, depth) == (4, 4 * DEPTHS[0])
    assert TUNING.of(SearchParams(target_recall=0.7, boost=2.0), 10)[0] == 4


def test_it_is_measured_until_more_is_no_better() -> None:
    truth = [np.arange(10)]

    def search(nprobe: int, depth: int) -> list[np.typing.NDArray[np.int64]]:
        return [np.arange(min(10, 2 * nprobe, depth // 5))]

    tuning = tune(search, truth, 12, 100.0)
    assert tuning.probes == (1, 2, 4, 8, 12)
    assert [recalls[-1] for recalls in tuning.recalls] == [0.4, 0.6, 0.9, 1.0]
