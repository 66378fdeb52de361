from datetime import datetime, timedelta, timezone

import pytest

from api.questions.listing import visibility_query
from api.questions.ownership import Ownership
from core.contracts.query import QueryStatus
from core.ports.archive import ArchiveFilter

INSTANCE = "0123456789ab" + "c" * 20
OWNERSHIP = Ownership(INSTANCE, frozenset())
OURS = "WorkflowId STARTS_WITH 'query-i0123456789ab-'"
OLD = "WorkflowId NOT STARTS_WITH 'query-i' AND NalandaLibrary IN"
KIND = "WorkflowType = 'QueryWorkflow'"
ALL = f"{KIND} AND {OURS}"


def test_all_questions() -> None:
    assert visibility_query(OWNERSHIP, ArchiveFilter()) == ALL


def test_moments_are_in_utc() -> None:
    since = datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=2)))
    query = visibility_query(OWNERSHIP, ArchiveFilter(library_id="l", since=since, until=since))
    assert query == (
        f"{KIND} AND ({OURS} OR ({OLD} ('l'))) AND NalandaLibrary = 'l'"
        " AND StartTime >= '2025-12-31T23:00:00+00:00'"
        " AND StartTime < '2025-12-31T23:00:00+00:00'"
    )


@pytest.mark.parametrize("status", ["running", "completed", "failed", "cancelled", "timed_out"])
def test_each_status_is_one_condition(status: QueryStatus) -> None:
    query = visibility_query(OWNERSHIP, ArchiveFilter(status=status))
    assert query.startswith(f"{ALL} AND (ExecutionStatus = ")
    assert query.endswith(")")


def test_old_questions_are_found_by_their_library() -> None:
    """A question from before instance ids has no mark; its library decides the owner."""
    ownership = Ownership(INSTANCE, {"b", "a"})
    query = visibility_query(ownership, ArchiveFilter())
    assert query == f"{KIND} AND ({OURS} OR ({OLD} ('a', 'b')))"


def test_more_libraries_than_a_query_holds() -> None:
    ownership = Ownership(INSTANCE, {str(n) for n in range(101)})
    query = visibility_query(ownership, ArchiveFilter())
    assert query == ALL
