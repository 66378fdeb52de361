"""The context that a chunk's place gives its text."""

import pytest

from core.domain.place import Place, context_of, indexed_text


@pytest.mark.parametrize(
    ("place", "context"),
    [
        (Place(page=3, line=7), ""),
        (Place(title="Harbours"), "Harbours"),
        (Place(headings=("Depth", "In winter")), "Depth › In winter"),
        (Place("Harbours", ("Harbours", "Depth")), "Harbours › Depth"),
        (Place("Old\n harbours", ("Old harbours", "Depth")), "Old harbours › Depth"),
        (Place("Harbours", ("Depth", "", "Harbours", "Depth")), "Harbours › Depth › Depth"),
    ],
)
def test_the_context_is_the_title_and_other_headings(place: Place, context: str) -> None:
    assert context_of(place.title, place.headings) == context


def test_the_context_is_indexed_on_a_line_of_its_own() -> None:
    place = Place("Harbours", ("Depth",), line=4)
    assert indexed_text("Nine fathoms.", place) == "Harbours › Depth\nNine fathoms."


@pytest.mark.parametrize("place", [None, Place(line=4)])
def test_a_text_without_context_is_indexed_as_it_is(place: Place | None) -> None:
    assert indexed_text(" Nine fathoms.\n", place) == " Nine fathoms.\n"
