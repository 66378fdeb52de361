"""Three days of waiting for a review, on a server that skips the time in which nothing happens."""

import uuid
from collections.abc import Iterator

import pytest
from temporalio.api.common.v1 import Payloads, TimeSkippingConfig, WorkflowType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import StartWorkflowExecutionRequest
from temporalio.client import Client

from core.contracts.names import QUERY_WORKFLOW
from core.contracts.query import QueryRequest
from tests.integration.workflows.stages import (
    REVIEWED,
    Question,
    Stages,
)
from tests.temporal import running_server
from workflows.client import connect
from workflows.query import QueryWorkflow

THREE_DAYS_MS = 3 * 86_400_000


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    log = tmp_path_factory.mktemp("temporal") / "server.log"
    with running_server(log, config=["frontend.WorkflowTimeSkippingEnabled=true"]) as address:
        yield address


async def start(client: Client, queue: str, request: QueryRequest) -> Question:
    """Start a question whose clock skips to its next timer."""
    workflow_id = str(uuid.uuid4())
    await client.workflow_service.start_workflow_execution(
        StartWorkflowExecutionRequest(
            namespace=client.namespace,
            workflow_id=workflow_id,
            workflow_type=WorkflowType(name=QUERY_WORKFLOW),
            task_queue=TaskQueue(name=queue),
            input=Payloads(payloads=await client.data_converter.encode([request])),
            request_id=workflow_id,
            time_skipping_config=TimeSkippingConfig(enabled=True),
        )
    )
    return client.get_workflow_handle_for(QueryWorkflow.run, workflow_id)


async def test_after_three_days_the_default_applies(address: str) -> None:
    client = await connect(address)
    request = REVIEWED.model_copy(update={"review_default": "approve", "deadline_s": 3600.0})
    async with Stages().run_worker(client) as queue:
        result = await (await start(client, queue, request)).result()
    assert (result.answer, result.degraded) == ("So.", ["review"])
    assert result.degraded_because == {"review": "No review came within 259200 s."}
    assert result.timings_ms["total"] >= THREE_DAYS_MS
