"""Recorder of the histories that `test_replay.py` replays.

    python -m tests.integration.workflows.record

Run the recorder, and commit its files, after an intended change of the workflow's commands.
Questions from before the change must still replay, so the older files stay.
"""

import asyncio
import json
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowFailureError

from core.contracts.conversation import TURNS_PER_RUN
from core.contracts.ingest import RemoveOutput
from core.contracts.query import AnswerInput, Feedback, QueryRequest, Stage
from core.contracts.review import Review
from core.domain.model_change import ModelChangeState
from tests.integration.workflows.ingest_script import IngestScript, start_ingestion
from tests.integration.workflows.reembed_script import ReembedScript, start_change
from tests.integration.workflows.stages import (
    REQUEST,
    REVIEWED,
    Stages,
    refused,
    start_question,
    until_awaited,
)
from tests.integration.workflows.talks import ask, begin, turn, until_ended
from tests.temporal import running_server
from workflows.client import connect
from workflows.ingest import IngestWorkflow
from workflows.query import QueryWorkflow

HISTORIES = Path(__file__).with_name("histories")
# Fields about the recording machine, not about the workflow.
PRIVATE = {"stackTrace", "binaryChecksum", "workerVersion", "buildId"}
IDENTITY = re.compile(r"\d+@[\w.-]+")


async def record(client: Client) -> None:
    await _one(client, "answered", REQUEST, {})
    await _one(client, "unanswered", REQUEST.model_copy(update={"answer": False}), {})
    await _one(client, "degraded", REQUEST, {Stage.RERANK: refused, Stage.ANSWER: _no_model})
    await _one(client, "failed", REQUEST, {Stage.RETRIEVE: refused})
    impatient = REQUEST.model_copy(update={"deadline_s": 0.5})
    await _one(client, "deadline", impatient, {}, held=Stage.ANSWER)
    await _one(client, "too_late", impatient, {}, held=Stage.RETRIEVE)
    await _one(client, "cancelled", REQUEST, {}, held=Stage.RERANK, cancel=True)


async def record_reviews(client: Client) -> None:
    approval = Review(decision="approve", drop=["c0"], pin=["c3"])
    other = Review(decision="reject", query="Why?")
    await _one_review(client, "reviewed", REVIEWED, [other, approval])
    await _one_review(client, "review_rejected", REVIEWED, [Review(decision="reject")])
    late = {"review_timeout_s": 0.1, "review_default": "approve", "deadline_s": 60.0}
    await _one_review(client, "review_defaulted", REVIEWED.model_copy(update=late), [])


async def record_ingestions(client: Client) -> None:
    poisoned = IngestScript(poisoned=frozenset({3}))
    await _one_ingestion(client, "ingested", poisoned, prune_under="notes/")
    await _one_ingestion(client, "ingestion_failed", IngestScript(gone=True))
    removing = IngestScript(held=30, removal=RemoveOutput(kept=[7], found={40: "40.md"}))
    await _one_ingestion(client, "ingestion_removed", removing, cancel=True)
    await _one_ingestion(client, "ingestion_paused", IngestScript(held=0))


async def record_model_changes(client: Client) -> None:
    await _one_change(client, "reembedded", ReembedScript())
    await _one_change(client, "reembedding_reverted", ReembedScript(), revert=True)
    failing = ReembedScript(failing=ModelChangeState.STAGING)
    await _one_change(client, "reembedding_failed", failing)
    held = ReembedScript(held=ModelChangeState.COMPARING)
    await _one_change(client, "reembedding_cancelled", held, cancel=True)


async def record_conversations(client: Client) -> None:
    stages = Stages()
    async with stages.run_worker(client) as queue:
        talk = await begin(client, queue)
        first = (await talk.describe()).run_id
        for number in range(1, TURNS_PER_RUN + 1):
            stages.instead = {Stage.RETRIEVE: refused} if number == 2 else {}
            await ask(talk, turn(f"Question {number}?"))
            await until_ended(talk, number)
        run = client.get_workflow_handle(talk.id, run_id=first)
        await _write("conversation", json.loads((await run.fetch_history()).to_json()))
        await ask(talk, turn("Why?"))
        await until_ended(talk, TURNS_PER_RUN + 1)
        await client.get_workflow_handle(talk.id).cancel()
        try:
            await talk.result()
        except WorkflowFailureError as error:
            print(f"conversation_cancelled: {error.cause}")
        last = client.get_workflow_handle(talk.id)
        await _write("conversation_cancelled", json.loads((await last.fetch_history()).to_json()))


async def _one_review(
    client: Client, name: str, request: QueryRequest, reviews: list[Review]
) -> None:
    stages = Stages()
    stages.instead[Stage.PREPROCESS] = stages.wait_for_release
    async with stages.run_worker(client) as queue:
        handle = await start_question(client, queue, request)
        await handle.signal("adjust", {"top_n": 3})
        await handle.execute_update("adjust", {"k": 3})
        stages.released.set()
        for number, review in enumerate(reviews, start=1):
            await until_awaited(handle, number)
            await handle.execute_update(QueryWorkflow.review, review)
        try:
            await handle.result()
        except WorkflowFailureError as error:
            print(f"{name}: {error.cause}")
        await _write(name, json.loads((await handle.fetch_history()).to_json()))


async def _one_change(
    client: Client, name: str, script: ReembedScript, *, revert: bool = False, cancel: bool = False
) -> None:
    async with script.served(client) as queue:
        handle = await start_change(client, queue, revert=revert)
        if cancel:
            await script.reached.wait()
            await handle.cancel()
        try:
            await handle.result()
        except WorkflowFailureError as error:
            print(f"{name}: {error.cause}")
        await _write(name, json.loads((await handle.fetch_history()).to_json()))


async def _one_ingestion(
    client: Client,
    name: str,
    script: IngestScript,
    *,
    cancel: bool = False,
    prune_under: str | None = None,
) -> None:
    async with script.served(client) as queue:
        handle = await start_ingestion(client, queue, prune_under=prune_under)
        if name in {"ingestion_removed", "ingestion_paused"}:
            await script.reached.wait()
        if cancel:
            await handle.cancel()
        elif name == "ingestion_paused":
            await handle.signal(IngestWorkflow.pause)
            await handle.signal(IngestWorkflow.resume)
            script.release.set()
        try:
            await handle.result()
        except WorkflowFailureError as error:
            print(f"{name}: {error.cause}")
        await _write(name, json.loads((await handle.fetch_history()).to_json()))


async def _one(
    client: Client,
    name: str,
    request: QueryRequest,
    instead: dict[str, Callable[[Any], Any]],
    *,
    held: str | None = None,
    cancel: bool = False,
) -> None:
    stages = Stages(instead)
    if held:
        stages.instead[held] = stages.hold
    async with stages.run_worker(client) as queue:
        handle = await start_question(client, queue, request)
        if held:
            await stages.held.wait()
            await handle.signal(QueryWorkflow.feedback, Feedback(rating=1))
        if cancel:
            await handle.cancel()
        try:
            await handle.result()
        except WorkflowFailureError as error:
            print(f"{name}: {error.cause}")
        await _write(name, json.loads((await handle.fetch_history()).to_json()))


async def _write(name: str, history: object) -> None:
    text = json.dumps(_public(history), indent=1) + "\n"
    await asyncio.to_thread((HISTORIES / f"{name}.json").write_text, text)


def _no_model(given: AnswerInput) -> None:
    if not given.extractive:
        refused()


def _public(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _public(inner) for key, inner in value.items() if key not in PRIVATE}
    if isinstance(value, list):
        return [_public(inner) for inner in value]
    return IDENTITY.sub("recorder", value) if isinstance(value, str) else value


async def _record_at(address: str) -> None:
    client = await connect(address)
    await record(client)
    await record_reviews(client)
    await record_ingestions(client)
    await record_model_changes(client)
    await record_conversations(client)


if __name__ == "__main__":
    HISTORIES.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        running_server(Path(folder) / "server.log") as address,
    ):
        asyncio.run(_record_at(address))
