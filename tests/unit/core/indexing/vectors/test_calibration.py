import numpy as np

from core.indexing.vectors.calibration import LADDER, Calibration, calibrate


def test_the_least_effort_that_reaches_the_target() -> None:
    calibration = Calibration((10, 20, 40), (0.8, 0.9, 1.0))
    assert calibration.ef(0.9, 10) == 20
    assert calibration.ef(0.95, 10) == 30
    assert calibration.ef(0.5, 10) == 10


def test_more_hits_take_more() -> None:
    calibration = Calibration((10, 20), (0.8, 1.0))
    assert calibration.ef(1.0, 50) == 100
    assert calibration.ef(0.8, 3) == 10


def test_the_greatest_there_is_if_nothing_reaches_the_target() -> None:
    assert Calibration((10, 20), (0.5, 0.6)).ef(0.99, 10) == 20


def test_it_ends_where_all_is_found_and_chance_makes_nothing_worse() -> None:
    truth = [np.arange(10)]
    counts = dict(zip(LADDER, (5, 9, 8, 10), strict=False))
    calibration = calibrate(lambda ef: [np.arange(counts[ef])], truth)
    assert calibration == Calibration(LADDER[:4], (0.5, 0.9, 0.9, 1.0))


def test_the_hardest_queries_count() -> None:
    truth = [np.arange(10)] * 4
    counts = {10: (1, 10, 10, 10), 14: (9, 10, 10, 10), 20: (10, 10, 10, 10)}
    calibration = calibrate(
        lambda ef: [np.arange(count) for count in counts[ef]], truth, hardest=0.25
    )
    assert calibration == Calibration((10, 14, 20), (0.1, 0.9, 1.0))
