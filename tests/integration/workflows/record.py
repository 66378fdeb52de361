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

from core.contracts.query import AnswerInput, Feedback, QueryRequest, Stage
from tests.integration.workflows.stages import REQUEST, Stages, refused, start_question
from tests.temporal import running_server
from workflows.client import connect
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
        history = json.loads((await handle.fetch_history()).to_json())
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
    await record(await connect(address))


if __name__ == "__main__":
    HISTORIES.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        running_server(Path(folder) / "server.log") as address,
    ):
        asyncio.run(_record_at(address))
