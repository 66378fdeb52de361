"""Models of the difference between two results of a question."""

from nalanda._models.base import Model
from nalanda._models.questions import Citation, RankedChunk


class Move(Model):
    """The ranks of a hit before and after, from 1."""

    chunk_id: str
    before: int
    after: int


class HitsDiff(Model):
    gained: list[RankedChunk]
    lost: list[RankedChunk]
    moved: list[Move]


class AnswerDiff(Model):
    before: str | None
    after: str | None


class CitationsDiff(Model):
    gained: list[Citation]
    lost: list[Citation]


class QueryDiff(Model):
    """The hits and citations that a result has gained, lost and moved, and both answers."""

    hits: HitsDiff
    answer: AnswerDiff
    citations: CitationsDiff
