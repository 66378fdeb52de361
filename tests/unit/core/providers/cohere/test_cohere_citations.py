"""Citations of Cohere's shape become ours only where they hold."""

from typing import Any

import pytest
from cohere import AssistantMessageResponse
from cohere.core.unchecked_base_model import construct_type

from core.contracts.query import Citation
from core.providers.base import Passage
from core.providers.cohere.citations import read_message
from core.providers.quotes import quoted_span

PASSAGES = [
    Passage("c1", "d1", "It runs a command. The timeout is in seconds. It returns a result."),
    Passage("c2", "d2", "A timeout raises TimeoutExpired."),
    Passage("c3", "d3", " \n "),
]
ANSWER = "Pass a timeout in seconds. On expiry TimeoutExpired is raised."


def read(
    *citations: dict[str, Any], content: list[dict[str, Any]] | None = None
) -> tuple[str, tuple[Citation, ...]]:
    message = {
        "role": "assistant",
        "content": content or [{"type": "text", "text": ANSWER}],
        "citations": list(citations),
    }
    shaped = construct_type(type_=AssistantMessageResponse, object_=message)
    return read_message(shaped, PASSAGES)


def cited(text: str, *sources: str, **others: Any) -> dict[str, Any]:
    start = ANSWER.index(text)
    return {
        "start": start,
        "end": start + len(text),
        "text": text,
        "sources": [{"type": "document", "id": source} for source in sources],
        "type": "TEXT_CONTENT",
        **others,
    }


def test_the_quote_is_the_sentence_that_says_it() -> None:
    answer, (citation,) = read(cited("timeout in seconds", "c1"))
    assert answer == ANSWER
    assert answer[citation.start : citation.end] == "timeout in seconds"
    assert citation.quote == "The timeout is in seconds."
    assert PASSAGES[0].text[citation.quote_start : citation.quote_end] == citation.quote
    assert (citation.chunk_id, citation.document_id) == ("c1", "d1")


def test_each_source_of_a_span_is_a_citation() -> None:
    _, citations = read(cited("timeout", "c1", "c2", "c1"))
    assert [citation.chunk_id for citation in citations] == ["c1", "c2"]


@pytest.mark.parametrize("source", ["doc:0", "c3", ""])
def test_a_source_without_a_passage_or_text_is_dropped(source: str) -> None:
    assert read(cited("timeout", source))[1] == ()


def test_wrong_offsets_are_put_right_by_the_words() -> None:
    answer, (citation,) = read(cited("TimeoutExpired", "c2", start=1, end=9))
    assert answer[citation.start : citation.end] == "TimeoutExpired"


def test_a_span_that_is_not_in_the_answer_is_dropped() -> None:
    assert read({**cited("timeout", "c1"), "text": "never said"})[1] == ()
    assert read({**cited("timeout", "c1"), "text": None, "end": 9999})[1] == ()


def test_a_span_without_its_text_is_taken_by_its_offsets() -> None:
    answer, (citation,) = read({**cited("TimeoutExpired", "c2"), "text": None})
    assert answer[citation.start : citation.end] == "TimeoutExpired"


def test_citations_of_plans_and_thoughts_are_dropped() -> None:
    assert read(cited("timeout", "c1", type="THINKING_CONTENT"))[1] == ()


def test_offsets_count_from_their_text_block() -> None:
    content = [
        {"type": "thinking", "thinking": "Hm."},
        {"type": "text", "text": "Yes. "},
        {"type": "text", "text": ANSWER},
    ]
    answer, (citation,) = read(cited("timeout", "c1", content_index=2), content=content)
    assert answer == f"Yes. {ANSWER}"
    assert answer[citation.start : citation.end] == "timeout"


def test_nothing_cited() -> None:
    assert read() == (ANSWER, ())


def test_a_bare_word_is_found_through_the_sentence_around_it() -> None:
    text = "It is raised to a power. It is raised on expiry. It returns a pair."
    span = quoted_span(text, ANSWER, (ANSWER.index("raised"), len(ANSWER)))
    assert span is not None
    assert text[slice(*span)] == "It is raised on expiry."
