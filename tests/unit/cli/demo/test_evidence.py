import pytest

from cli.demo.evidence import faults, origin
from nalanda import Citation
from tests.unit.cli.demo.results import chunk, citation, result

CHUNKS = {"put": chunk("put", "put(book)\n\nPuts it there.")}
SOUND = citation("put", 0, 14, "Puts it there.", 11)


def test_a_quote_that_is_there_holds() -> None:
    assert faults(result("Puts it there.", SOUND), CHUNKS) == []


def test_an_answer_without_citations_is_none() -> None:
    assert faults(result("Puts it there."), CHUNKS) == ["the answer cites nothing"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (citation("put", 0, 14, "Puts it there.", 10), "does not say"),
        (citation("put", 0, 14, "puts it there.", 11), "does not say"),
        (citation("take", 0, 14, "Puts it there.", 11), "is not there"),
        (citation("put", 0, 14, "", 11), "without a quote"),
        (citation("put", 0, 14, "Puts it there.", 11, document_id="e"), "another document's"),
        (citation("put", 0, 15, "Puts it there.", 11), "does not have"),
        (citation("put", 7, 7, "Puts it there.", 11), "does not have"),
    ],
)
def test_one_wrong_citation_is_found_among_sound_ones(wrong: Citation, said: str) -> None:
    (fault,) = faults(result("Puts it there.", SOUND, wrong), CHUNKS)
    assert said in fault


def test_a_chunk_says_where_it_comes_from() -> None:
    put = chunk("shelf.put", "It puts.", module="shelf")
    assert origin(put).plain == "shelf.put  function of module shelf, Python 3.11.7"
    shelf = chunk("shelf", "A shelf.", module="shelf", kind="module")
    assert origin(shelf).plain == "shelf  module, Python 3.11.7"
