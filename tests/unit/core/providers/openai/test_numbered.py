"""Numbered citations: what a number cites, and what is dropped."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.contracts.query import Citation
from core.providers.base import Passage
from core.providers.openai.numbered import prompt, read_answer

PASSAGES = [
    Passage("c1", "d1", "The harbour is nine fathoms deep. Pilots know it by heart."),
    Passage("c2", "d2", "Caravans carry horses. They rest in the town for a month."),
    Passage("c3", "d3", " \n "),
]


def cited(answer: str, citations: tuple[Citation, ...]) -> list[tuple[str, str, str]]:
    return [(answer[c.start : c.end], c.chunk_id, c.quote) for c in citations]


def read(text: str) -> tuple[str, list[tuple[str, str, str]]]:
    answer, citations = read_answer(text, PASSAGES)
    return answer, cited(answer, citations)


DEEP = ("The harbour is nine fathoms deep.", "c1", "The harbour is nine fathoms deep.")


def test_the_prompt_numbers_the_sources_from_one() -> None:
    said = prompt("How deep?", PASSAGES[:2])
    assert "[1]\nThe harbour is" in said
    assert "[2]\nCaravans" in said
    assert said.endswith("Question: How deep?")


@pytest.mark.parametrize(
    "text",
    [
        "The harbour is nine fathoms deep. [1]",
        "The harbour is nine fathoms deep.[1]",
        "The harbour is nine fathoms deep. [1][1]",
        "The harbour is nine fathoms deep. 【1】",
        "The harbour is nine fathoms deep. [1, 9]",
    ],
)
def test_a_number_cites_its_sentence(text: str) -> None:
    assert read(text) == ("The harbour is nine fathoms deep.", [DEEP])


def test_a_number_before_the_full_stop() -> None:
    answer, citations = read("The harbour is nine fathoms deep [1]. Nobody knows why.")
    assert answer == "The harbour is nine fathoms deep. Nobody knows why."
    assert citations == [("The harbour is nine fathoms deep", *DEEP[1:])]


def test_a_sentence_is_divided_among_its_numbers() -> None:
    answer, citations = read("The harbour is deep [1], and caravans carry horses [2].")
    assert answer == "The harbour is deep, and caravans carry horses."
    assert citations == [
        ("The harbour is deep", *DEEP[1:]),
        ("and caravans carry horses", "c2", "Caravans carry horses."),
    ]


def test_two_sources_of_one_sentence() -> None:
    _, citations = read("Pilots and caravans rest in the harbour [1][2].")
    assert [chunk_id for _, chunk_id, _ in citations] == ["c1", "c2"]


@pytest.mark.parametrize(
    "text",
    [
        "The harbour is nine fathoms deep.",  # no number
        "The harbour is nine fathoms deep [4].",  # no such source
        "The harbour is nine fathoms deep [0].",
        "The harbour is nine fathoms deep [3].",  # a source without a text
        "Elephants never forget [1].",  # a source that shares no word with it
        "[1]",
        "[1] Nothing stands before it.",
    ],
)
def test_what_does_not_hold_is_no_citation(text: str) -> None:
    answer, citations = read(text)
    assert citations == []
    assert "[" not in answer


@pytest.mark.parametrize(
    "text", ["Write `list[1]` for it.", "```\nharbour[1]\n```", "It was so in [1999].", "See [a]."]
)
def test_other_brackets_are_text(text: str) -> None:
    assert read(text) == (text, [])


@given(st.text(alphabet=" .\n`[]【】,;0123 deharbou", max_size=60))
def test_any_text_has_citations_that_hold(text: str) -> None:
    answer, citations = read_answer(text, PASSAGES)
    for citation in citations:
        passage = next(p for p in PASSAGES if p.chunk_id == citation.chunk_id)
        assert passage.text[citation.quote_start : citation.quote_end] == citation.quote
        assert answer[citation.start : citation.end].strip()
