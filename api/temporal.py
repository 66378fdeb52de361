"""The way to Temporal: found when it is first needed, missed by nothing but questions."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from core.domain.errors import Unavailable
from core.settings import Settings
from workflows.client import connect
from workflows.registration import register_search_attributes

CALL_S = 5.0
"""Longer than a healthy cluster takes for anything that is not a long poll."""
CONNECT_S = 2.0
RETRY_AFTER_S = 2.0
HEALTH_S = 1.0

_TELLING = {RPCStatusCode.NOT_FOUND, RPCStatusCode.ALREADY_EXISTS}
"""What the cluster says of a question; all else says something of the cluster."""


class Temporal:
    """One client for the app, made at the first call and kept."""

    def __init__(self, settings: Settings) -> None:
        self._address = settings.temporal_address
        self._namespace = settings.temporal_namespace
        self._client: Client | None = None
        self._connecting = asyncio.Lock()
        self._wait_until = 0.0

    async def client(self) -> Client:
        """Raises: Unavailable: no Temporal in reach, now or a moment ago."""
        if self._client is None:
            async with self._connecting:
                if self._client is None:
                    self._client = await self._connect()
        return self._client

    async def _connect(self) -> Client:
        # Those who queued behind a failed attempt share its outcome.
        if time.monotonic() < self._wait_until:
            raise self._out_of_reach()
        try:
            async with asyncio.timeout(CONNECT_S):
                client = await connect(self._address, self._namespace)
                with suppress(RPCError):  # a worker says what an operator has to do
                    await register_search_attributes(client)
                return client
        except (RuntimeError, TimeoutError) as error:
            self._wait_until = time.monotonic() + RETRY_AFTER_S / 2
            raise self._out_of_reach() from error

    @asynccontextmanager
    async def calls(self, within_s: float = CALL_S) -> AsyncIterator[Client]:
        """The client, for calls that together take no longer than this.

        Raises:
            Unavailable: the cluster doesn't answer, or not as it should.
            RPCError: it says that there is no such workflow, or that there is one already.
        """
        client = await self.client()
        try:
            async with asyncio.timeout(within_s):
                yield client
        except TimeoutError as error:
            raise self._out_of_reach() from error
        except RPCError as error:
            if error.status in _TELLING:
                raise
            raise Unavailable(
                f"Temporal did not take the call: {error.message}", retry_after_s=RETRY_AFTER_S
            ) from error

    async def healthy(self) -> bool:
        """Whether it answers now."""
        try:
            async with self.calls(HEALTH_S) as client:
                return await client.service_client.check_health()
        except Unavailable:
            return False

    def _out_of_reach(self) -> Unavailable:
        return Unavailable(
            f"Temporal at {self._address} is out of reach, and questions need it.",
            retry_after_s=RETRY_AFTER_S,
        )
