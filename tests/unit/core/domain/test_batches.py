from core.domain.batches import batches


def test_batches_hold_every_item_once_in_order() -> None:
    assert list(batches([1, 2, 3, 4, 5], 2)) == [[1, 2], [3, 4], [5]]
    assert list(batches(iter([1, 2]), 2)) == [[1, 2]]
    assert list(batches([], 2)) == []
