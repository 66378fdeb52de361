"""The minimal durable pipeline of four stages."""

from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

QUEUE = "benchmark"


@activity.defn
async def nothing() -> None:
    """Do nothing: the cheapest activity."""


@workflow.defn
class FourActivities:
    @workflow.run
    async def run(self) -> None:
        for _ in range(4):
            await workflow.execute_activity(nothing, start_to_close_timeout=timedelta(seconds=10))


def worker(client: Client) -> Worker:
    """Return a worker with the runner of Nalanda's own worker."""
    return Worker(
        client,
        task_queue=QUEUE,
        workflow_runner=UnsandboxedWorkflowRunner(),
        workflows=[FourActivities],
        activities=[nothing],
    )
