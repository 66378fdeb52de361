"""Answers and chunks in the server's form."""

from datetime import UTC, datetime
from typing import Any

from nalanda import Chunk, Citation, QueryResult

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def chunk(id: str, text: str, **metadata: str) -> Chunk:
    said = {"name": id, "kind": "function", "module": "m", "python": "3.11.7", **metadata}
    return Chunk(
        id=id,
        version=1,
        created_at=NOW,
        updated_at=NOW,
        document_id="d",
        library_id="l",
        ordinal=0,
        text=text,
        metadata=said,
    )


def citation(chunk_id: str, start: int, end: int, quote: str, at: int, **other: Any) -> Citation:
    fields = {"document_id": "d", **other}
    return Citation(
        start=start,
        end=end,
        chunk_id=chunk_id,
        quote=quote,
        quote_start=at,
        quote_end=at + len(quote),
        **fields,
    )


def result(answer: str, *citations: Citation, degraded: tuple[str, ...] = ()) -> QueryResult:
    return QueryResult(
        answer=answer,
        citations=list(citations),
        degraded=list(degraded),
        position=1,
        provider="local",
        model="m",
    )
