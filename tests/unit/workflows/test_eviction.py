"""A workflow's coroutine that the worker drops, for example as it shuts down."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from core.contracts.ingest import IngestRequest
from core.contracts.reembed import ReembedRequest
from workflows.ingest import IngestWorkflow
from workflows.reembed import ReembedWorkflow


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


@pytest.mark.parametrize("start", [_reembed, _ingest])
async def test_a_dropped_workflow_ends_without_a_call_of_temporal(
    start: Callable[[pytest.MonkeyPatch], Coroutine[Any, Any, object]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Outside of its event loop each call of `workflow` raises, so that the close would fail."""
    run = start(monkeypatch)
    run.send(None)

    run.close()
