"""The worker process: connect, load, poll, and drain on a signal."""

import asyncio
import signal
import sys
from contextlib import suppress

import uvloop

import nalanda
from activities.precedence import QuestionStages
from core.contracts.names import task_queue_of
from core.domain.errors import NalandaError
from core.providers.registry import open_models
from core.settings import Settings
from core.tracing import spans
from core.tracing.exporting import FLUSH_S, start_tracing
from worker.api import Api, connect_api
from worker.cluster import connect_with_retry, print_line, wait_until_polling
from worker.legacy import serve_old_questions
from worker.logs import set_up_logs
from worker.stages import Activities, open_activities, open_ingest_activities
from worker.temporal_worker import build_ingest_worker, build_worker


def main() -> None:
    """Run until SIGTERM or SIGINT; exit with one line if the settings are invalid."""
    set_up_logs()
    start_tracing("nalanda-worker")
    try:
        with suppress(asyncio.CancelledError):
            uvloop.run(run(Settings()))
    except (NalandaError, nalanda.NalandaError) as error:
        sys.exit(str(error))
    finally:
        spans.flush(FLUSH_S)


async def run(settings: Settings) -> None:
    """Serve questions and ingestions until a signal or cancellation, then drain for `drain_s`.

    Raises:
        ProviderRejected: the settings or the environment do not fit the provider.
        InvalidAddress: the settings' address of the API is invalid.
    """
    _stop_on_signals()
    async with open_models(settings) as models, connect_api(settings) as api:
        print_line(models.description)
        while True:
            instance_id = await api.wait_for_instance()
            async with open_activities(settings, models, instance_id) as activities:
                await _serve_instance(settings, api, activities, instance_id)


async def _serve_instance(
    settings: Settings, api: Api, activities: Activities, instance_id: str | None
) -> None:
    """Poll the instance's task queues until another instance responds in its place."""
    client = await connect_with_retry(settings.temporal_address, settings.temporal_namespace)
    questions = QuestionStages()
    async with (
        open_ingest_activities(settings, instance_id, questions) as ingesting,
        build_worker(
            client, settings, activities, instance_id=instance_id, interceptors=[questions]
        ),
        build_ingest_worker(client, settings, ingesting, instance_id=instance_id),
    ):
        queue = task_queue_of(instance_id, settings.task_queue)
        await wait_until_polling(client, queue, client.identity)
        print("worker ready", flush=True)
        old = asyncio.create_task(serve_old_questions(client, settings, activities, instance_id))
        try:
            await api.wait_for_change(instance_id)
        finally:
            old.cancel()
            await asyncio.gather(old, return_exceptions=True)


def _stop_on_signals() -> None:
    """Cancel the task at the first signal; later ones do not cut the drain short."""
    task = asyncio.current_task()
    assert task is not None
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lambda: task.cancelling() or task.cancel())
