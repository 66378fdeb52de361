"""The outcome of one question, as the report and its JSON have it."""

from pydantic import BaseModel, ConfigDict

from nalanda import Usage


class Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Cited(Record):
    """A citation of the answer.

    `relevant` is `None` for a question without known sources and chunks. `verified`: the chunk has
    the quote where the citation says.
    """

    source: str
    quote: str
    relevant: bool | None
    verified: bool
    markup: bool


class Outcome(Record):
    """The outcome of a question.

    `relevant` counts the known right documents or chunks, and `places` has those of them that the
    ranking found, from 1; `None` without a ranking. `refused`: there is no answer. The three scores
    of answers are `None` for a question without known answers.
    """

    id: str
    question: str
    tags: tuple[str, ...] = ()
    answerable: bool
    relevant: int = 0
    places: tuple[int, ...] | None = None
    refused: bool = False
    error: str | None = None
    answer: str | None = None
    citations: tuple[Cited, ...] = ()
    exact_match: float | None = None
    f1: float | None = None
    answer_quoted: float | None = None
    provider: str = ""
    model: str = ""
    degraded: tuple[str, ...] = ()
    timings_ms: dict[str, float] = {}
    usage: Usage = Usage()

    @property
    def is_cited_first(self) -> bool:
        """Return whether the answer's first citation is a right one."""
        return bool(self.citations and self.citations[0].relevant)

    @property
    def is_cited(self) -> bool:
        return any(citation.relevant for citation in self.citations)
