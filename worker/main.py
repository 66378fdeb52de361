"""The worker process: connect, load, poll, and finish what runs when told to stop."""

import asyncio
import logging
import signal
import sys
from contextlib import suppress

import uvloop

from core.domain.errors import NalandaError
from core.settings import Settings
from worker.cluster import polling, reached
from worker.serving import serving
from worker.stages import stages


def main() -> None:
    """Runs until SIGTERM or SIGINT; ends with one line if the settings won't do."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        with suppress(asyncio.CancelledError):
            uvloop.run(run(Settings()))
    except NalandaError as error:
        sys.exit(str(error))


async def run(settings: Settings) -> None:
    """Serves questions until SIGTERM, SIGINT or cancellation, then drains for `drain_s`.

    Raises:
        ProviderRejected: the settings name a provider that they give no key for.
    """
    _stop_on_signals()
    async with stages(settings) as activities:
        client = await reached(settings.temporal_address, settings.temporal_namespace)
        async with serving(client, settings, activities):
            await polling(client, settings.task_queue, client.identity)
            print("worker ready", flush=True)
            await asyncio.Event().wait()


def _stop_on_signals() -> None:
    """The first signal cancels; another one does not cut the draining short."""
    task = asyncio.current_task()
    assert task is not None
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lambda: task.cancelling() or task.cancel())
