import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from api.http.cursors import Cursors, cut
from core.domain.errors import Invalid

KEY = b"k" * 32


def cursors(path: str = "/libraries", query: str = "", key: bytes = KEY) -> Cursors:
    scope = {
        "type": "http",
        "path": path,
        "query_string": query.encode(),
        "headers": [],
        "server": ("api", 80),
        "scheme": "http",
    }
    return Cursors.of(key, Request(scope))


@given(after=st.lists(st.one_of(st.text(), st.integers(-(2**53), 2**53), st.none())))
def test_what_was_given_out_is_taken(after: list[object]) -> None:
    given_out = cursors(query="limit=3&include=embedding").give(after)
    assert cursors(query=f"limit=5&cursor={given_out}").take(given_out) == after


def test_the_beginning_and_the_end_have_none() -> None:
    assert cursors().take(None) is None
    assert cursors().give(None) is None


@pytest.mark.parametrize(
    "other",
    [
        cursors("/libraries/l/chunks"),
        cursors(query="name=x"),
        cursors(query="order_by=n"),
        cursors(key=b"j" * 32),
    ],
)
def test_another_listing_does_not_take_it(other: Cursors) -> None:
    with pytest.raises(Invalid) as refused:
        other.take(cursors().give("last"))
    assert [fault.pointer for fault in refused.value.faults] == ["/cursor"]


@given(st.text())
def test_what_was_made_up_is_not_taken(cursor: str) -> None:
    with pytest.raises(Invalid):
        cursors().take(cursor)


@given(st.data())
def test_what_was_tampered_with_is_not_taken(data: st.DataObject) -> None:
    given_out = cursors().give("last") or ""
    place = data.draw(st.integers(0, len(given_out) - 1))
    letter = data.draw(st.sampled_from("ABCxyz019-_=!.").filter(lambda c: c != given_out[place]))
    with pytest.raises(Invalid):
        cursors().take(given_out[:place] + letter + given_out[place + 1 :])
    with pytest.raises(Invalid):
        cursors().take(given_out + letter)


@pytest.mark.parametrize(
    ("items", "page", "following"),
    [([], [], None), ([1, 2], [1, 2], None), ([1, 2, 3], [1, 2], "2")],
)
def test_a_page_has_its_limit(items: list[int], page: list[int], following: str | None) -> None:
    assert cut(items, 2, str) == (page, following)
