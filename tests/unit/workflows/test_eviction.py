"""A workflow's coroutine that the worker drops, for example as it shuts down."""

import ast
import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from temporalio import workflow

import workflows
from core.contracts.ingest import IngestRequest
from core.contracts.query import Preview
from core.contracts.reembed import ReembedRequest
from workflows.ingest import IngestWorkflow
from workflows.reembed import ReembedWorkflow
from workflows.review import Reviews


async def _wait(*_: object) -> None:
    await asyncio.Event().wait()


def _reembed(monkeypatch: pytest.MonkeyPatch) -> Coroutine[Any, Any, object]:
    monkeypatch.setattr(ReembedWorkflow, "_advance", _wait)
    request = ReembedRequest(library_id="l", model="new", revert=False, instance_id="i")
    return ReembedWorkflow().run(request)


def _ingest(monkeypatch: pytest.MonkeyPatch) -> Coroutine[Any, Any, object]:
    monkeypatch.setattr(IngestWorkflow, "_ingest", _wait)
    request = IngestRequest(library_id="l", instance_id="i", manifest="m", total=1)
    return IngestWorkflow(request).run(request)


def _review(monkeypatch: pytest.MonkeyPatch) -> Coroutine[Any, Any, object]:
    monkeypatch.setattr(workflow, "now", lambda: datetime(2026, 11, 30, tzinfo=UTC))
    monkeypatch.setattr(workflow, "set_current_details", lambda _: None)
    monkeypatch.setattr(workflow, "wait_condition", lambda *_, **__: _wait())
    return Reviews().wait(Preview(query="How?", hits=[], position=1), timeout_s=60)


@pytest.mark.parametrize("start", [_reembed, _ingest, _review])
async def test_a_dropped_workflow_ends_without_a_call_of_temporal(
    start: Callable[[pytest.MonkeyPatch], Coroutine[Any, Any, object]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Outside of its event loop each call of `workflow` raises, so that the close would fail."""
    run = start(monkeypatch)
    run.send(None)
    monkeypatch.undo()

    run.close()


def test_no_workflow_has_a_finally() -> None:
    """A dropped workflow would run it outside of its event loop."""
    paths = list(Path(workflows.__file__).parent.glob("*.py"))

    assert paths
    for path in paths:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert not [n.lineno for n in ast.walk(tree) if isinstance(n, ast.Try) and n.finalbody]
