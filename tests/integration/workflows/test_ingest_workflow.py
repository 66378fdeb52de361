"""IngestWorkflow on a real server, in the sandbox, with scripted activities."""

import asyncio

import pytest
from temporalio import workflow
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import CancelledError

from core.contracts.ingest import IngestProgress, RemoveOutput
from tests.integration.workflows.ingest_script import IngestScript, start_ingestion
from workflows.ingest import IngestWorkflow

DEADLINE_S = 60.0


async def test_files_are_ingested_some_at_a_time_and_then_pruned(temporal: Client) -> None:
    script = IngestScript(poisoned=frozenset({3, 59}))
    async with script.served(temporal) as queue:
        handle = await start_ingestion(temporal, queue, prune_under="notes/", position=7)
        result = await handle.result()
        assert await handle.query(IngestWorkflow.progress) == result
        assert (
            await handle.query(IngestWorkflow.outcomes, 58)
            == (await handle.query(IngestWorkflow.outcomes, 0))[58:]
        )
    assert [(given.start, given.stop) for given in script.given] == [(0, 60), (25, 60), (50, 60)]
    assert {given.position for given in script.given} == {7}
    assert result.status == "completed"
    files = result.files
    assert (files.total, files.added, files.failed, files.pruned) == (60, 58, 2, len("notes/"))
    assert result.chunks == 116
    assert [failure.source for failure in result.failures] == ["3.md", "59.md"]


async def test_a_pause_takes_effect_after_the_files_that_are_being_ingested(
    temporal: Client,
) -> None:
    script = IngestScript(held=30)
    async with script.served(temporal) as queue:
        handle = await start_ingestion(temporal, queue)
        await asyncio.wait_for(script.reached.wait(), DEADLINE_S)
        await handle.signal(IngestWorkflow.pause)
        script.release.set()
        async with asyncio.timeout(DEADLINE_S):
            while (  # noqa: ASYNC110  # it is in another process
                await handle.query(IngestWorkflow.progress)
            ).files.added < 50:
                await asyncio.sleep(0.02)
        paused = await handle.query(IngestWorkflow.progress)
        assert (paused.status, paused.files.added, len(script.given)) == ("paused", 50, 2)
        await handle.signal(IngestWorkflow.resume)
        assert (await handle.result()).files.added == 60


async def test_a_cancelled_ingestion_stops_its_activity(temporal: Client) -> None:
    script = IngestScript(held=30, removal=RemoveOutput(kept=[7], found={40: "40.md", 30: "30.md"}))
    async with script.served(temporal) as queue:
        handle = await start_ingestion(temporal, queue, position=9)
        await asyncio.wait_for(script.reached.wait(), DEADLINE_S)
        await handle.cancel()
        with pytest.raises(WorkflowFailureError) as caught:
            await handle.result()
        assert isinstance(caught.value.cause, CancelledError)
        ended = await handle.query(IngestWorkflow.progress)
        last = await handle.query(IngestWorkflow.outcomes, 24)
    assert (ended.status, ended.error) == ("cancelled", None)
    assert (ended.files.added, ended.files.removed, ended.chunks) == (1, 26, 2)
    assert [(o.source, o.status) for o in last] == [
        ("24.md", "removed"),
        ("30.md", "removed"),
        ("40.md", "removed"),
    ]
    assert len(script.given) == 2
    [removal] = script.removals
    assert removal.versions == {i: 100 + i for i in range(25)}
    assert (removal.doubtful, removal.position) == (list(range(25, 60)), 9)


async def test_a_removal_that_is_refused_is_reported(temporal: Client) -> None:
    script = IngestScript(held=0)
    async with script.served(temporal) as queue:
        handle = await start_ingestion(temporal, queue)
        await asyncio.wait_for(script.reached.wait(), DEADLINE_S)
        await handle.cancel()
        with pytest.raises(WorkflowFailureError) as caught:
            await handle.result()
        assert isinstance(caught.value.cause, CancelledError)
        ended = await handle.query(IngestWorkflow.progress)
    assert ended.status == "cancelled"
    assert ended.error == "Documents that it added may remain. This API is another instance."


async def test_a_cancelled_ingestion_ends_after_an_activity_that_was_not_stopped(
    temporal: Client,
) -> None:
    script = IngestScript(held=0, silent=True, removal=RemoveOutput())
    async with script.served(temporal) as queue:
        handle = await start_ingestion(temporal, queue)
        await asyncio.wait_for(script.reached.wait(), DEADLINE_S)
        await handle.cancel()
        script.release.set()
        with pytest.raises(WorkflowFailureError) as caught:
            await handle.result()
        assert isinstance(caught.value.cause, CancelledError)
        ended = await handle.query(IngestWorkflow.progress)
        assert (ended.status, ended.files.removed) == ("cancelled", 25)
    assert len(script.given) == 1


async def test_an_error_of_all_files_fails_the_ingestion(temporal: Client) -> None:
    script = IngestScript(gone=True)
    async with script.served(temporal) as queue:
        handle = await start_ingestion(temporal, queue)
        with pytest.raises(WorkflowFailureError):
            await handle.result()
        failed = await handle.query(IngestWorkflow.progress)
    assert (failed.status, failed.error) == ("failed", "There is no library 'l'.")


async def test_a_long_history_continues_as_new_with_all_outcomes(
    temporal: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_long(info: workflow.Info) -> bool:
        return info.get_current_history_length() > 8

    monkeypatch.setattr(workflow.Info, "is_continue_as_new_suggested", is_long)
    script = IngestScript(poisoned=frozenset({0}))
    async with script.served(temporal, sandboxed=False) as queue:
        handle = await start_ingestion(temporal, queue)
        result = await handle.result()
        last = temporal.get_workflow_handle(handle.id, result_type=IngestProgress)
        assert (await last.describe()).run_id != handle.first_execution_run_id
    assert (result.files.added, result.files.failed, result.chunks) == (59, 1, 118)
    assert [given.start for given in script.given] == [0, 25, 50]
