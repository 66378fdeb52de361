"""Asks the questions of an evaluation, and judges rankings, answers and citations."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Literal

from cli.evaluation.library import LibraryDocuments
from cli.evaluation.markup import is_markup
from cli.evaluation.outcome import Cited, Outcome
from cli.evaluation.questions import NumberedQuestion, Question
from cli.evaluation.scores import exact_match, f1, is_quoted
from nalanda import (
    Citation,
    Nalanda,
    NotFoundError,
    QueryFailed,
    QueryResult,
    RankedChunk,
    TimedOut,
)

DEPTH = 10
"""Number of hits that a ranking is judged by."""


@dataclass(frozen=True, slots=True)
class Asking:
    """The parameters of each question."""

    k: int
    top_n: int
    mode: Literal["vector", "lexical", "hybrid"]
    timeout_s: float
    with_ranking: bool = True


class Evaluator:
    def __init__(self, client: Nalanda, documents: LibraryDocuments, asking: Asking) -> None:
        self._client = client
        self._documents = documents
        self._asking = asking

    def outcomes(
        self, questions: Sequence[NumberedQuestion], concurrency: int
    ) -> Iterator[Outcome]:
        """Ask the questions, and yield their outcomes in order.

        Raises:
            NalandaError: the server is gone, or refuses a question.
        """
        pool = ThreadPoolExecutor(concurrency, "eval")
        try:
            yield from pool.map(self.evaluate, questions)
        finally:
            pool.shutdown(cancel_futures=True)

    def evaluate(self, numbered: NumberedQuestion) -> Outcome:
        """Return the outcome of one question; a failed one is an outcome as well.

        Raises:
            NalandaError: the server is gone, or refuses the question.
        """
        question = numbered.question
        outcome = Outcome(
            id=numbered.id,
            question=question.question,
            tags=question.tags,
            answerable=question.answerable,
            relevant=len(question.chunks or question.sources),
            places=() if self._is_ranked(question) else None,
            **_answer_scores(question, None),
        )
        try:
            return outcome.model_copy(update=self._judge(question))
        except (QueryFailed, TimedOut) as error:
            return outcome.model_copy(update={"error": str(error)})

    def _judge(self, question: Question) -> dict[str, object]:
        result = self._ask(question, self._asking)
        judged: dict[str, object] = {
            "refused": not result.answer or not result.citations,
            "answer": result.answer or None,
            "citations": tuple(self._judge_citation(question, one) for one in _in_order(result)),
            "provider": result.provider,
            "model": result.model,
            "degraded": tuple(result.degraded),
            "timings_ms": result.timings_ms,
            "usage": result.usage,
            **_answer_scores(question, result),
        }
        if self._is_ranked(question):
            judged["places"] = self._places(question, self._ranking(question, result))
        return judged

    def _is_ranked(self, question: Question) -> bool:
        return self._asking.with_ranking and bool(question.chunks or question.sources)

    def _ask(self, question: Question, asking: Asking, *, answer: bool = True) -> QueryResult:
        return self._client.ask(
            self._documents.library_id,
            question.question,
            k=asking.k,
            top_n=asking.top_n,
            mode=asking.mode,
            filter=question.filter,
            answer=answer,
            timeout_s=asking.timeout_s,
        )

    def _ranking(self, question: Question, answered: QueryResult) -> Sequence[RankedChunk]:
        """Return ten hits: the answer's, or if it keeps fewer those of a question for hits only."""
        if self._asking.top_n >= DEPTH:
            return answered.hits
        deeper = replace(self._asking, top_n=DEPTH, k=max(DEPTH, self._asking.k))
        return self._ask(question, deeper, answer=False).hits

    def _places(self, question: Question, hits: Sequence[RankedChunk]) -> tuple[int, ...]:
        """Return the places of the right chunks, or of the right documents by their best chunks."""
        if question.chunks:
            ids = [hit.chunk_id for hit in hits]
            return tuple(n for n, one in enumerate(ids, start=1) if one in question.chunks)
        sources = list(dict.fromkeys(self._documents.source(hit.document_id) for hit in hits))
        right = [self._documents.is_one_of(source, question.sources) for source in sources]
        return tuple(place for place, is_right in enumerate(right, start=1) if is_right)

    def _judge_citation(self, question: Question, citation: Citation) -> Cited:
        source = self._documents.source(citation.document_id)
        relevant: bool | None = None
        if question.chunks:
            relevant = citation.chunk_id in question.chunks
        elif question.sources:
            relevant = self._documents.is_one_of(source, question.sources)
        return Cited(
            source=source,
            quote=citation.quote,
            relevant=relevant,
            verified=self._is_verified(citation),
            markup=is_markup(citation.quote),
        )

    def _is_verified(self, citation: Citation) -> bool:
        try:
            chunk = self._client.chunks.get(self._documents.library_id, citation.chunk_id)
        except NotFoundError:
            return False
        return chunk.text[citation.quote_start : citation.quote_end] == citation.quote


def _in_order(result: QueryResult) -> list[Citation]:
    return sorted(result.citations, key=lambda citation: (citation.end, citation.start))


def _answer_scores(question: Question, result: QueryResult | None) -> dict[str, float | None]:
    """Return the scores of the cited parts of the answer, or of all of it without citations."""
    citations = _in_order(result) if result else []
    text = (result and result.answer) or ""
    cited_text = " ".join(dict.fromkeys(text[one.start : one.end] for one in citations)) or text
    score: dict[str, Callable[[], float]] = {
        "exact_match": lambda: exact_match(cited_text, question.answers),
        "f1": lambda: f1(cited_text, question.answers),
        "answer_quoted": lambda: is_quoted(question.answers, [one.quote for one in citations]),
    }
    return {name: value() if question.answers else None for name, value in score.items()}
