import pytest
from starlette.exceptions import HTTPException

from api.http.conditional import etag, guard, is_unchanged
from core.domain.guards import Guard


@pytest.mark.parametrize(
    ("if_match", "if_none_match", "wanted"),
    [
        (None, None, Guard()),
        ("*", None, Guard(exists=True)),
        (None, "*", Guard(absent=True)),
        (' "3" ', None, Guard(versions=frozenset({3}))),
        ('"3","4"', None, Guard(versions=frozenset({3, 4}))),
        ('W/"3", "4"', None, Guard(versions=frozenset({4}))),
        ('W/"3"', None, Guard(versions=frozenset())),
        ('"not-ours", ""', None, Guard(versions=frozenset())),
        ('"3"', "*", Guard(versions=frozenset({3}), absent=True)),
    ],
)
def test_what_a_write_takes_for_granted(
    if_match: str | None, if_none_match: str | None, wanted: Guard
) -> None:
    assert guard(if_match, if_none_match) == wanted


@pytest.mark.parametrize("header", ["", "3", '"3', '"3" "4"', '"3",', "W/3", 'w/"3"', "*, *"])
def test_tags_that_can_not_be_read(header: str) -> None:
    with pytest.raises(HTTPException) as refused:
        guard(header, None)
    assert refused.value.status_code == 400
    with pytest.raises(HTTPException):
        guard(None, header)
    with pytest.raises(HTTPException):
        is_unchanged(header, 3)


@pytest.mark.parametrize(
    ("if_none_match", "wanted"),
    [
        (None, False),
        ("*", True),
        (etag(3), True),
        (f"W/{etag(3)}", True),
        (f'"x,y", {etag(3)}', True),
        (etag(4), False),
    ],
)
def test_whether_a_reader_has_it(if_none_match: str | None, wanted: bool) -> None:
    assert is_unchanged(if_none_match, 3) is wanted
