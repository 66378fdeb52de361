"""Retrieval quality: nDCG@10, hit@1 and hit@10 of each search mode, and what answers quote.

In process, through the services and the local reranker of a question, with their defaults; the
environment chooses the embedding model (`NALANDA_PROVIDER=transformer`). A question set is a file
in SQuAD's JSON format, whose paragraphs become documents of one chunk. In addition, the
documentation of this Python's standard library is a set: the question is a docstring's first
sentence, and the passage is the rest.
"""

import asyncio
import json
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

from cli.demo import corpus
from cli.evaluation.scores import is_quoted
from core.bootstrap import Core, open_core
from core.contracts.query import QueryRequest
from core.domain.document import ChunkDraft, DocumentDraft
from core.domain.library import LibraryDraft
from core.domain.text.sentences import sentence_spans
from core.providers.base import Passage
from core.providers.local.analysis import PassageAnalyzer
from core.providers.local.embedder import MODEL
from core.providers.local.extractive import LocalAnswerer, LocalReranker
from core.services.search.request import SearchRequest
from core.settings import Settings

LIBRARY = "passages"
DEPTH = 10
CANDIDATES: int = QueryRequest.model_fields["k"].default
KEPT: int = QueryRequest.model_fields["top_n"].default
MOST_QUESTIONS = 1_500

Ranks: TypeAlias = Callable[[str], list[str]]
"""A function from a question to the ids of passages, best first."""


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """A question set; `questions` pairs each question with the number of the passage that answers
    it, and `answers` has the known answers of each, if there are any.
    """

    name: str
    passages: Sequence[str]
    questions: Sequence[tuple[str, int]]
    answers: Sequence[Sequence[str]] = ()


async def main(*paths: str) -> None:
    sets = [_squad(Path(path)) for path in paths]
    sets.append(await asyncio.to_thread(_docstrings))
    for questions in sets:
        await asyncio.to_thread(_measure, questions)


def _measure(asked: QuestionSet) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        open_core(Settings(data_dir=Path(folder))) as core,
    ):
        _fill(core, asked.passages)
        print(_speed_line(core, asked.passages))
        print(f"{asked.name}: {len(asked.questions):,} questions,", end=" ")
        print(f"{len(asked.passages):,} passages{'':14} nDCG@10  hit@1  hit@10")
        for name, ranks in _ways(core).items():
            places = [_place(ranks(text), str(right)) for text, right in asked.questions]
            _print(name, places)
        if any(asked.answers):
            quoted = _quoted(core, asked)
            print(f"  {'known answer in the quotes of an answer':53} {quoted:8.3f}")


def _speed_line(core: Core, passages: Sequence[str]) -> str:
    """Measure how many texts a second of processor time the library's model embeds."""
    began_s = time.process_time()
    core.embedders[core.default_model].embed(passages, "document")
    rate = len(passages) / (time.process_time() - began_s)
    return f"{core.default_model}: {rate:,.0f} texts for each second of a processor"


def _fill(core: Core, passages: Sequence[str]) -> None:
    core.libraries.create(LibraryDraft(LIBRARY, embedding_model=core.default_model))
    for number, text in enumerate(passages):
        chunk = ChunkDraft(text, id=str(number))
        core.documents.put(LIBRARY, f"d{number}", DocumentDraft(chunks=[chunk]))


def _ways(core: Core) -> dict[str, Ranks]:
    reranker = LocalReranker(PassageAnalyzer(core.embedders[MODEL]))

    def searched(mode: str) -> Ranks:
        def ranks(question: str) -> list[str]:
            wanted = SearchRequest(LIBRARY, text=question, mode=mode, k=DEPTH)
            return [hit.chunk.id for hit in core.search.search(wanted).hits]

        return ranks

    def reranked(question: str) -> list[str]:
        passages = _candidates(core, question)
        order = reranker.rerank(question, passages, DEPTH).order
        return [passages[scored.index].chunk_id for scored in order]

    by_mode = {mode: searched(mode) for mode in ("vector", "lexical", "hybrid")}
    return {**by_mode, "hybrid, reranked": reranked}


def _quoted(core: Core, asked: QuestionSet) -> float:
    """Return the share of questions with known answers of which the quotes have one."""
    analyzer = PassageAnalyzer(core.embedders[MODEL])
    reranker = LocalReranker(analyzer)
    answerer = LocalAnswerer(analyzer, Settings.model_fields["answer_floor"].default)

    def quotes(question: str) -> list[str]:
        passages = _candidates(core, question)
        order = reranker.rerank(question, passages, KEPT).order
        answer = answerer.answer(question, [passages[scored.index] for scored in order])
        return [citation.quote for citation in answer.citations]

    pairs = zip(asked.questions, asked.answers, strict=True)
    quoted = [is_quoted(known, quotes(question)) for (question, _), known in pairs if known]
    return sum(quoted) / len(quoted)


def _candidates(core: Core, question: str) -> list[Passage]:
    wanted = SearchRequest(LIBRARY, text=question, mode="hybrid", k=CANDIDATES)
    return [
        Passage(hit.chunk.id, hit.chunk.document_id, hit.chunk.text, hit.score)
        for hit in core.search.search(wanted).hits
    ]


def _place(ranked: Sequence[str], right: str) -> int | None:
    return ranked.index(right) if right in ranked else None


def _print(name: str, places: Sequence[int | None]) -> None:
    ranks = [place for place in places if place is not None]
    ndcg = sum(1 / np.log2(place + 2) for place in ranks) / len(places)
    first, any_ = ranks.count(0) / len(places), len(ranks) / len(places)
    print(f"  {name:53} {ndcg:8.3f} {first:6.3f} {any_:7.3f}")


def _squad(path: Path) -> QuestionSet:
    articles = json.loads(path.read_text())["data"]
    paragraphs = [paragraph for article in articles for paragraph in article["paragraphs"]]
    questions = [
        (qa["question"], n) for n, paragraph in enumerate(paragraphs) for qa in paragraph["qas"]
    ]
    answers = [
        [answer["text"] for answer in qa["answers"]]
        for paragraph in paragraphs
        for qa in paragraph["qas"]
    ]
    passages = [paragraph["context"] for paragraph in paragraphs]
    return QuestionSet(path.name, passages, questions, answers)


def _docstrings() -> QuestionSet:
    pairs = list(dict(_summaries_and_rests()).items())
    questions = [(summary, number) for number, (summary, _) in enumerate(pairs)]
    if len(questions) > MOST_QUESTIONS:
        questions = random.Random(0).sample(questions, MOST_QUESTIONS)
    return QuestionSet("Python's docstrings", [rest for _, rest in pairs], questions)


def _summaries_and_rests() -> Iterator[tuple[str, str]]:
    """Yield docstrings' first sentences with the rest, where both exist and are new."""
    seen: set[str] = set()
    for entry in corpus.read():
        doc = entry.doc.strip()
        spans = sentence_spans(doc)
        if len(spans) < 2:
            continue
        start, end = spans[0]
        summary, rest = doc[start:end], doc[end:].strip()
        if len(summary.split()) >= 4 and len(rest) >= 80 and not seen & {summary, rest}:
            seen |= {summary, rest}
            yield summary, rest[:2_000]
