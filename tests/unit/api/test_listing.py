from datetime import datetime, timedelta, timezone

import pytest

from api.questions.listing import visibility_query
from core.contracts.query import QueryStatus

ALL = "WorkflowType = 'QueryWorkflow'"


def test_all_questions() -> None:
    assert visibility_query(library_id=None, status=None, since=None, until=None) == ALL


def test_moments_are_in_utc() -> None:
    since = datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=2)))
    query = visibility_query(library_id="l", status=None, since=since, until=since)
    assert query == (
        f"{ALL} AND NalandaLibrary = 'l' AND StartTime >= '2025-12-31T23:00:00+00:00'"
        " AND StartTime < '2025-12-31T23:00:00+00:00'"
    )


@pytest.mark.parametrize("status", ["running", "completed", "failed", "cancelled", "timed_out"])
def test_each_status_is_one_condition(status: QueryStatus) -> None:
    query = visibility_query(library_id=None, status=status, since=None, until=None)
    assert query.startswith(f"{ALL} AND (ExecutionStatus = ")
    assert query.endswith(")")
