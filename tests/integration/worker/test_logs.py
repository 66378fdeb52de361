"""Lines of the worker's log name the workflow and the run that they are about."""

import logging

import pytest
from temporalio.testing import ActivityEnvironment

from worker.logs import FORMAT, add_execution


def line(message: str) -> str:
    record = logging.LogRecord("n", logging.WARNING, "p", 1, message, None, None)
    assert add_execution(record)
    return logging.Formatter(FORMAT).format(record)


def test_a_line_outside_of_activities_is_as_it_was() -> None:
    assert line("It waits.") == "WARNING n: It waits."


@pytest.mark.parametrize("is_known", [False, True])
def test_a_line_of_an_activity_has_the_ids(is_known: bool) -> None:
    environment = ActivityEnvironment()
    workflow_id, run_id = environment.info.workflow_id, environment.info.workflow_run_id
    message = f"{workflow_id} {run_id} failed." if is_known else "It failed."
    expected = "" if is_known else f" (workflow_id={workflow_id} run_id={run_id})"
    assert environment.run(line, message) == f"WARNING n: {message}{expected}"
