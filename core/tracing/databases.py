"""Spans of databases' operations, by the conventions for databases."""

from contextlib import AbstractContextManager

from core.tracing.conventions import DB_OPERATION, DB_SYSTEM
from core.tracing.spans import Span, span


def write_span(system: str) -> AbstractContextManager[Span]:
    """Record a unit of work, from its wait for a turn up to its commit."""
    return span("write", "client", {DB_SYSTEM: system, DB_OPERATION: "write"})
