"""The worker's additions to activities: attempts, errors, heartbeats, draining."""

import asyncio
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from temporalio import activity
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import CancelledError

from core.contracts.names import task_queue_of
from core.contracts.query import PreprocessInput, PreprocessOutput, Stage
from core.domain.errors import NalandaError, ProviderRejected, ProviderUnavailable
from core.settings import Settings
from tests.integration.workflows.stages import REQUEST, Stages, start_question
from worker.temporal_worker import build_worker
from workflows.query import QueryWorkflow

WAIT_S = 60.0


@dataclass
class Blocking:
    """A first stage on a thread that fails, or blocks until cancellation or release."""

    errors: Iterator[NalandaError] = field(default_factory=lambda: iter(()))
    held: threading.Event = field(default_factory=threading.Event)
    free: threading.Event = field(default_factory=threading.Event)
    stopped: threading.Event = field(default_factory=threading.Event)

    @activity.defn(name=Stage.PREPROCESS)
    def preprocess(self, _: PreprocessInput) -> PreprocessOutput:
        for error in self.errors:
            raise error
        self.held.set()
        try:
            while not self.free.is_set():
                time.sleep(0.01)
        except CancelledError:
            self.stopped.set()
            raise
        return PreprocessOutput(query="How?", embedding="AAAA")


@pytest.fixture
def settings() -> Settings:
    return Settings(task_queue=f"test-{uuid.uuid4()}", drain_s=30)


def activities(first: Blocking) -> list[Callable[..., Any]]:
    stages = Stages()
    return [first.preprocess, stages.retrieve, stages.rerank, stages.answer]


async def came(event: threading.Event) -> None:
    assert await asyncio.to_thread(event.wait, WAIT_S)


async def test_the_attempt_that_succeeded_is_reported(temporal: Client, settings: Settings) -> None:
    errors = iter([ProviderUnavailable("Busy.", retry_after_s=0.01)] * 2)
    first = Blocking(errors=errors)
    first.free.set()
    async with build_worker(temporal, settings, activities(first)):
        handle = await start_question(temporal, task_queue_of(None, settings.task_queue))
        await handle.result()
        progress = await handle.query(QueryWorkflow.progress)
    assert [stage.attempt for stage in progress.stages] == [3, 1, 1, 1]


async def test_a_refusal_is_final_at_its_attempt(temporal: Client, settings: Settings) -> None:
    errors = iter([ProviderUnavailable("Busy.", retry_after_s=0.01), ProviderRejected("No key.")])
    async with build_worker(temporal, settings, activities(Blocking(errors=errors))):
        handle = await start_question(temporal, task_queue_of(None, settings.task_queue))
        with pytest.raises(WorkflowFailureError):
            await handle.result()
        progress = await handle.query(QueryWorkflow.progress)
    assert (progress.stages[0].status, progress.stages[0].attempt) == ("failed", 2)
    assert progress.error == "No key."


async def test_cancel_reaches_a_thread(temporal: Client, settings: Settings) -> None:
    first = Blocking()
    async with build_worker(temporal, settings, activities(first)):
        handle = await start_question(temporal, task_queue_of(None, settings.task_queue))
        await came(first.held)
        await handle.cancel()
        with pytest.raises(WorkflowFailureError) as failure:
            await handle.result()
    assert isinstance(failure.value.cause, CancelledError)
    assert first.stopped.is_set()


async def test_what_runs_is_finished_before_the_worker_stops(
    temporal: Client, settings: Settings
) -> None:
    first = Blocking()
    async with build_worker(temporal, settings, activities(first)) as worker:
        handle = await start_question(temporal, task_queue_of(None, settings.task_queue))
        await came(first.held)
        stopping = asyncio.create_task(worker.shutdown())
        await asyncio.sleep(0)
        first.free.set()
        await stopping
    assert not first.stopped.is_set()
    history = await handle.fetch_history()
    assert any(
        event.HasField("activity_task_completed_event_attributes") for event in history.events
    )


async def test_the_question_of_another_instance_is_refused(
    temporal: Client, settings: Settings
) -> None:
    question = REQUEST.model_copy(update={"instance_id": "a" * 32})
    first = Blocking()
    first.free.set()
    async with build_worker(temporal, settings, activities(first), instance_id="b" * 32):
        handle = await start_question(temporal, task_queue_of(None, settings.task_queue), question)
        with pytest.raises(WorkflowFailureError):
            await handle.result()
        progress = await handle.query(QueryWorkflow.progress)
    assert (progress.stages[0].status, progress.stages[0].attempt) == ("failed", 1)
    assert progress.error is not None
    assert "for the instance aaaaaaaaaaaa, and the API here is the instance bbbb" in progress.error
    assert not first.held.is_set()


async def test_a_question_of_its_own_instance_or_of_none_is_answered(
    temporal: Client, settings: Settings
) -> None:
    first = Blocking()
    first.free.set()
    own = REQUEST.model_copy(update={"instance_id": "b" * 32})
    async with build_worker(temporal, settings, activities(first), instance_id="b" * 32):
        for question in (own, REQUEST):
            queue = task_queue_of(None, settings.task_queue)
            assert (
                await (await start_question(temporal, queue, question)).result()
            ).answer == "So."
