"""A citation gets its chunk's place, and its document's source and title."""

from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from activities.answer import Answer
from activities.places import Places
from core.contracts.query import AnswerInput, Citation, CitedPlace, RankedChunk
from core.domain.place import Box
from core.providers.base import GeneratedAnswer, Passage
from nalanda import Place
from tests.unit.activities.models import Answers
from tests.unit.activities.rest import Rest

BOX = (72.0, 80.0, 300.0, 96.0)
DOCUMENT = {"title": "Ports", "source": "docs/ports.md"}


class Cites(Answers):
    """An answerer that cites each passage as a whole."""

    async def answer(self, query: str, passages: Any) -> GeneratedAnswer:
        generated = await super().answer(query, passages)
        citations = tuple(map(_citation, passages))
        return GeneratedAnswer(generated.answer, citations, generated.usage)


def _citation(passage: Passage) -> Citation:
    return Citation(
        start=0,
        end=1,
        chunk_id=passage.chunk_id,
        document_id=passage.document_id,
        quote=passage.text,
        quote_start=0,
        quote_end=len(passage.text),
    )


@pytest.mark.parametrize(
    ("place", "document", "cited"),
    [
        (
            {"title": "Harbours", "headings": ["Depth"], "page": 2, "box": BOX, "line": 7},
            DOCUMENT,
            CitedPlace(
                source="docs/ports.md",
                title="Harbours",
                headings=["Depth"],
                page=2,
                box=BOX,
                line=7,
            ),
        ),
        ({"line": 3}, DOCUMENT, CitedPlace(source="docs/ports.md", title="Ports", line=3)),
        (None, DOCUMENT, CitedPlace(source="docs/ports.md", title="Ports")),
        (None, {}, CitedPlace()),
        ({"title": "Harbours"}, None, CitedPlace(title="Harbours")),
    ],
)
async def test_a_citation_says_where_its_quote_stands(
    place: dict[str, Any] | None, document: dict[str, Any] | None, cited: CitedPlace
) -> None:
    rest = Rest(
        chunks={"c": (1, "text")},
        places={} if place is None else {"c": place},
        documents={} if document is None else {"d": document},
    )
    hits = [RankedChunk(chunk_id="c", document_id="d", version=1, score=0.5)]
    question = AnswerInput(library_id="l", query="q", hits=hits, position=9)
    async with rest.client() as client:
        activity = Answer(client, Cites(), extractive=Cites())
        answered = await ActivityEnvironment().run(activity.answer, question)
    assert [citation.place for citation in answered.citations] == [cited]
    assert {request.headers["Nalanda-Min-Position"] for request in rest.requests} == {"9"}


BOXES = [
    {"start": 0, "box": (72.0, 80.0, 200.0, 88.0)},
    {"start": 5, "box": (72.0, 88.0, 300.0, 96.0)},
    {"start": 9, "box": (90.0, 96.0, 210.0, 104.0)},
]


@pytest.mark.parametrize(
    ("start", "end", "box"),
    [
        (0, 4, (72.0, 80.0, 200.0, 88.0)),
        (0, 5, (72.0, 80.0, 200.0, 88.0)),
        (5, 8, (72.0, 88.0, 300.0, 96.0)),
        (6, 12, (72.0, 88.0, 300.0, 104.0)),
        (9, 12, (90.0, 96.0, 210.0, 104.0)),
        (0, 12, (72.0, 80.0, 300.0, 104.0)),
    ],
)
def test_the_box_is_that_of_the_quote(start: int, end: int, box: Box) -> None:
    place = Place.model_validate({"page": 2, "box": (0.0, 0.0, 612.0, 792.0), "boxes": BOXES})
    citation = _citation(Passage("c", "d", "one. two three", 0.5))
    quoted = citation.model_copy(update={"quote_start": start, "quote_end": end})
    [cited] = Places({"c": place}, {}).cite([quoted])
    assert cited.place == CitedPlace(page=2, box=box)


async def test_all_documents_are_read_by_one_request() -> None:
    rest = Rest(
        chunks={"a": (1, "x"), "b": (1, "y"), "c": (1, "z")},
        documents={"d": DOCUMENT, "e": DOCUMENT},
    )
    hits = [
        RankedChunk(chunk_id=chunk, document_id=document, version=1, score=0.5)
        for chunk, document in ("ad", "bd", "ce")
    ]
    question = AnswerInput(library_id="l", query="q", hits=hits, position=9)
    async with rest.client() as client:
        activity = Answer(client, Cites(), extractive=Cites())
        await ActivityEnvironment().run(activity.answer, question)
    about_documents = [request.url for request in rest.requests if "documents" in request.url.path]
    assert [url.params.get_list("id") for url in about_documents] == [["d", "e"]]


def test_what_a_place_lacks_is_not_sent() -> None:
    place = CitedPlace(source="docs/ports.md", title="Ports")
    assert place.model_dump() == {"source": "docs/ports.md", "title": "Ports", "headings": []}
    assert CitedPlace.model_validate(place.model_dump()) == place
