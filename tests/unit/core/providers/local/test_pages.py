"""Evidence of pages: further passages of a document raise its first one."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.providers.local.pages import with_page_evidence


def order(scores: list[float], documents: str) -> list[int]:
    raised = with_page_evidence(np.array(scores), list(documents))
    return [int(index) for index in np.argsort(-raised, kind="stable")]


def test_several_good_passages_outrank_one_that_is_a_little_better() -> None:
    assert order([0.8, 0.7, 0.7], "abb")[0] == 1
    assert order([0.8, 0.1, 0.1], "abb")[0] == 0


def test_further_passages_of_a_document_come_later() -> None:
    assert order([0.9, 0.85, 0.8, 0.7, 0.6], "aaabc")[:3] == [0, 3, 1]


def test_passages_of_one_document_or_of_as_many_stay_in_their_order() -> None:
    scores = [0.2, 0.9, 0.4, 0.9]
    assert order(scores, "aaaa") == order(scores, "abcd") == [1, 3, 2, 0]


def test_nothing_to_rank() -> None:
    assert with_page_evidence(np.empty(0), []).shape == (0,)


@given(st.lists(st.tuples(st.floats(0, 1), st.sampled_from("abc")), max_size=20))
def test_scores_stay_within_bounds_and_order(pairs: list[tuple[float, str]]) -> None:
    scores = np.array([score for score, _ in pairs])
    documents = [document for _, document in pairs]
    raised = with_page_evidence(scores, documents)
    assert all(raised >= 0)
    assert all(raised <= 1 + 1e-9)
    for one in range(len(pairs)):
        for other in range(len(pairs)):
            if documents[one] == documents[other] and scores[one] > scores[other]:
                assert raised[one] >= raised[other]
