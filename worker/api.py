"""The worker's API: the wait for it at the start, and the watch for a change of instance."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from core.settings import Settings
from nalanda import AsyncNalanda, InvalidAddress, NalandaError
from worker.cluster import print_line
from worker.stages import client_options

RETRY_S = 1.0
WATCH_S = 2.0


class Api:
    """A client of the settings' API that identifies the API's instance."""

    def __init__(self, client: AsyncNalanda, url: str) -> None:
        self._client = client
        self._url = url

    async def wait_for_instance(self) -> str | None:
        """Return the API's instance id, or `None` for an older API.

        Waits until the API responds, and logs the first failure.

        Raises:
            InvalidAddress: the address can never reach a server.
        """
        is_reported = False
        while True:
            try:
                return (await self._client.version()).instance_id
            except InvalidAddress:
                raise
            except NalandaError as error:
                if not is_reported:
                    print_line(f"waiting for the API at {self._url}: {error}")
                    is_reported = True
            await asyncio.sleep(RETRY_S)

    async def wait_for_change(self, instance_id: str | None) -> None:
        """Return once another instance responds; an unreachable API does not count as a change."""
        while True:
            await asyncio.sleep(WATCH_S)
            try:
                current = (await self._client.version()).instance_id
            except NalandaError:
                continue
            if current != instance_id:
                print_line(f"The API at {self._url} is another instance now.")
                return


@asynccontextmanager
async def connect_api(settings: Settings) -> AsyncIterator[Api]:
    """Open a client of the settings' API.

    Raises:
        InvalidAddress: the settings' address is invalid.
    """
    async with AsyncNalanda(settings.api_url, **client_options(settings)) as client:
        yield Api(client, settings.api_url)
