"""Spans of workflows and activities: one tree, which no replay repeats."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from temporalio.client import Client, WorkflowFailureError, WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import (
    Interceptor,
    Replayer,
    UnsandboxedWorkflowRunner,
    Worker,
    WorkflowRunner,
)
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from activities.interceptor import AttemptInterceptor
from activities.tracing import ActivityTracing
from core.tracing import spans
from tests.integration.workflows.stages import Stages, refused, start_question
from tests.integration.workflows.talks import ask, begin, turn, until_ended
from tests.integration.workflows.test_replay import FILES
from tests.spans import RecordedSpans, attributes_of, check_conventions, trace_of
from workflows.client import connect
from workflows.conversation import ConversationWorkflow
from workflows.ingest import IngestWorkflow
from workflows.query import QueryWorkflow
from workflows.reembed import ReembedWorkflow
from workflows.tracing import WorkflowTracing

STAGES = ("preprocess", "retrieve", "rerank", "answer")
ROOT = "POST /query"


@pytest.fixture
async def client(recorded: RecordedSpans, temporal_address: str) -> Client:
    return await connect(temporal_address)


@asynccontextmanager
async def run_worker(
    client: Client,
    stages: Stages,
    *,
    queue: str | None = None,
    cached: int = 0,
    runner: WorkflowRunner | None = None,
) -> AsyncIterator[str]:
    """Run a worker that replays the history for each workflow task, unless it may cache some."""
    queue = queue or f"test-{uuid.uuid4()}"
    async with Worker(
        client,
        task_queue=queue,
        workflows=[QueryWorkflow, ConversationWorkflow],
        activities=[stages.preprocess, stages.retrieve, stages.rerank, stages.answer],
        interceptors=[ActivityTracing(), WorkflowTracing(), AttemptInterceptor()],
        max_cached_workflows=cached,
        workflow_runner=runner or UnsandboxedWorkflowRunner(),
        max_heartbeat_throttle_interval=timedelta(milliseconds=50),
    ):
        yield queue


async def replay(history: WorkflowHistory, interceptors: Sequence[Interceptor]) -> None:
    replayer = Replayer(
        workflows=[QueryWorkflow, ConversationWorkflow, IngestWorkflow, ReembedWorkflow],
        data_converter=pydantic_data_converter,
        interceptors=interceptors,
    )
    await replayer.replay_workflow(history)


def parents(recorded: RecordedSpans) -> list[tuple[str, str | None]]:
    return [(span.name, recorded.parent_of(span)) for span in recorded.all]


def tree() -> list[tuple[str, str | None]]:
    """Return each span of a question with its parent."""
    stages = [
        pair
        for stage in STAGES
        for pair in (
            (f"RunActivity:{stage}", f"StartActivity:{stage}"),
            (f"StartActivity:{stage}", "RunWorkflow:QueryWorkflow"),
        )
    ]
    return [
        *stages,
        ("RunWorkflow:QueryWorkflow", "StartWorkflow:QueryWorkflow"),
        ("StartWorkflow:QueryWorkflow", ROOT),
        (ROOT, None),
    ]


def duration_ns(span: ReadableSpan) -> int:
    assert span.start_time is not None
    assert span.end_time is not None
    return span.end_time - span.start_time


@pytest.mark.parametrize("cached", [0, 10])
async def test_a_question_is_one_tree(client: Client, recorded: RecordedSpans, cached: int) -> None:
    async with run_worker(client, Stages(), cached=cached) as queue:
        with spans.span(ROOT, "server"):
            handle = await start_question(client, queue)
        await handle.result()
    assert sorted(parents(recorded), key=str) == sorted(tree(), key=str)
    assert len({trace_of(span) for span in recorded.all}) == 1
    for span in recorded.all:
        attributes = attributes_of(span)
        check_conventions(span.name, attributes)
        if span.name != ROOT:
            assert attributes["temporalWorkflowID"] == handle.id
    run = attributes_of(recorded.one("RunWorkflow:QueryWorkflow"))
    assert run["temporalRunID"] == handle.first_execution_run_id
    assert "How?" not in recorded.content


async def test_the_spans_of_a_workflow_last_as_long_as_its_steps(
    client: Client, recorded: RecordedSpans
) -> None:
    async with run_worker(client, Stages()) as queue:
        with spans.span(ROOT, "server"):
            handle = await start_question(client, queue)
        await handle.result()
    run = recorded.one("RunWorkflow:QueryWorkflow")
    steps = [recorded.one(f"StartActivity:{stage}") for stage in STAGES]
    assert 0 < sum(map(duration_ns, steps)) <= duration_ns(run)
    assert [step.start_time for step in steps] == sorted(step.start_time or 0 for step in steps)
    assert run.start_time == steps[0].start_time


async def test_a_replay_records_nothing(client: Client, recorded: RecordedSpans) -> None:
    async with run_worker(client, Stages()) as queue:
        with spans.span(ROOT, "server"):
            handle = await start_question(client, queue)
        await handle.result()
        history = await handle.fetch_history()
    recorded.clear()
    await replay(history, [WorkflowTracing()])
    assert recorded.names == []
    await replay(history, [])  # by a worker without tracing


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_earlier_histories_replay_with_tracing(file: Path) -> None:
    history = WorkflowHistory.from_json("recorded", file.read_text())
    asyncio.run(replay(history, [WorkflowTracing()]))


async def test_the_worker_that_takes_over_goes_on_with_the_tree(
    client: Client, recorded: RecordedSpans
) -> None:
    first, second = Stages(), Stages()
    first.instead["rerank"] = first.wait_for_release
    queue = f"test-{uuid.uuid4()}"
    async with run_worker(client, first, queue=queue, cached=10):
        with spans.span(ROOT, "server"):
            handle = await start_question(client, queue)
        await first.held.wait()
        first.released.set()
    async with run_worker(client, second, queue=queue, cached=10):
        await handle.result()
    assert sorted(parents(recorded), key=str) == sorted(tree(), key=str)


async def test_the_sandbox_does_not_matter(client: Client, recorded: RecordedSpans) -> None:
    async with run_worker(client, Stages(), runner=SandboxedWorkflowRunner()) as queue:
        with spans.span(ROOT, "server"):
            handle = await start_question(client, queue)
        await handle.result()
    assert sorted(parents(recorded), key=str) == sorted(tree(), key=str)


async def test_each_attempt_is_a_span(client: Client, recorded: RecordedSpans) -> None:
    stages = Stages()
    failures = iter([RuntimeError("Xanadu")])

    def fail_once(_: object) -> None:
        for failure in failures:
            raise failure

    stages.instead["retrieve"] = fail_once
    async with run_worker(client, stages) as queue:
        with spans.span(ROOT, "server"):
            handle = await start_question(client, queue)
        await handle.result()
    attempts = recorded.named("RunActivity:retrieve")
    assert [attributes_of(attempt).get("error.type") for attempt in attempts] == [
        "RuntimeError",
        None,
    ]
    assert len(recorded.named("StartActivity:retrieve")) == 1
    assert "Xanadu" not in recorded.content


async def test_a_failed_question_has_the_type_of_its_error(
    client: Client, recorded: RecordedSpans
) -> None:
    async with run_worker(client, Stages(instead={"retrieve": refused})) as queue:
        with spans.span(ROOT, "server"):
            handle = await start_question(client, queue)
        with pytest.raises(WorkflowFailureError):
            await handle.result()
    for name in ("RunActivity:retrieve", "StartActivity:retrieve", "RunWorkflow:QueryWorkflow"):
        assert attributes_of(recorded.one(name))["error.type"] == "ProviderRejected"
    assert "It will never do." not in recorded.content


async def test_a_cancelled_question_ends_its_spans(client: Client, recorded: RecordedSpans) -> None:
    stages = Stages()
    stages.instead["retrieve"] = stages.hold
    async with run_worker(client, stages) as queue:
        with spans.span(ROOT, "server"):
            handle = await start_question(client, queue)
        await stages.held.wait()
        await handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await handle.result()
    assert (
        attributes_of(recorded.one("RunWorkflow:QueryWorkflow"))["error.type"] == "CancelledError"
    )


async def test_a_question_of_a_client_without_traces_has_none(
    client: Client, recorded: RecordedSpans, temporal_address: str
) -> None:
    untraced = await Client.connect(temporal_address, data_converter=pydantic_data_converter)
    async with run_worker(client, Stages()) as queue:
        handle = await start_question(untraced, queue)
        await handle.result()
    assert recorded.names == []


async def test_a_turn_of_a_conversation_is_in_the_trace_of_its_request(
    client: Client, recorded: RecordedSpans
) -> None:
    async with run_worker(client, Stages()) as queue:
        with spans.span("POST /conversations", "server"):
            talk = await begin(client, queue)
        with spans.span(ROOT, "server"):
            await ask(talk, turn("Xanadu?"))
        await until_ended(talk, 1)
        await talk.cancel()
        with pytest.raises(WorkflowFailureError):
            await talk.result()
    update = [
        ("RunWorkflow:QueryWorkflow", "StartChildWorkflow:QueryWorkflow"),
        ("StartChildWorkflow:QueryWorkflow", "HandleUpdate:ask"),
        ("HandleUpdate:ask", "StartWorkflowUpdate:ask"),
        ("StartWorkflowUpdate:ask", ROOT),
    ]
    assert set(update) <= set(parents(recorded))
    [root] = recorded.named(ROOT)
    in_trace = [span for span in recorded.all if trace_of(span) == trace_of(root)]
    assert len(in_trace) == len(tree()) + 2  # the update and its handler; a child for the start
    assert "Xanadu" not in recorded.content
