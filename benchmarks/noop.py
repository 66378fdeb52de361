"""The least that a durable pipeline of four stages can be."""

from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

QUEUE = "benchmark"


@activity.defn
async def nothing() -> None:
    """As little as an activity can do."""


@workflow.defn
class FourActivities:
    @workflow.run
    async def run(self) -> None:
        for _ in range(4):
            await workflow.execute_activity(nothing, start_to_close_timeout=timedelta(seconds=10))


def worker(client: Client) -> Worker:
    """With the runner that Nalanda's own worker has."""
    return Worker(
        client,
        task_queue=QUEUE,
        workflow_runner=UnsandboxedWorkflowRunner(),
        workflows=[FourActivities],
        activities=[nothing],
    )
