from collections.abc import Iterator

import pytest

from api.http.errors import STATUSES, status_of
from core.domain.errors import (
    Behind,
    DataDirInUse,
    NalandaError,
    ProviderRejected,
    ProviderUnavailable,
    StorageFull,
    StorageUnavailable,
)


def below(kind: type[NalandaError]) -> Iterator[type[NalandaError]]:
    for child in kind.__subclasses__():
        yield child
        yield from below(child)


def test_no_error_is_left_without_a_status() -> None:
    assert all(400 <= status_of(kind) < 600 for kind in below(NalandaError))


def test_what_has_a_status_is_in_the_tree() -> None:
    assert set(STATUSES) <= set(below(NalandaError))


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (Behind, 503),
        (ProviderRejected, 502),
        (ProviderUnavailable, 503),
        (StorageFull, 507),
        (StorageUnavailable, 503),
        (DataDirInUse, 500),
    ],
)
def test_the_nearest_ancestor_decides(kind: type[NalandaError], status: int) -> None:
    assert status_of(kind) == status
