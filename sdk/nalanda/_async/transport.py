"""HTTP requests and responses: retries, errors, pages, positions."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic
from typing import TypeVar

import httpx
from pydantic import BaseModel

from nalanda._answers import HighestPosition, page_of, parse_body
from nalanda._errors import HTTPX_ERRORS, NalandaError, api_error, connection_error
from nalanda._proxies import creation_error, is_local, is_plain_and_local, proxy_of
from nalanda._requests import INSTANCE, JSON, Request, check_header, delay_s

CONNECT_TIMEOUT_S = 5.0
STREAM_SILENCE_S = 45.0
"""Timeout of a silent stream: three of the server's heartbeats."""

M = TypeVar("M", bound=BaseModel)


class Transport:
    """A sender of requests; `timeout_s` bounds a call with up to `max_retries` retries."""

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str | None,
        timeout_s: float,
        max_retries: int,
        instance_id: str | None,
        transport: httpx.AsyncBaseTransport | None,
    ) -> None:
        headers = {}
        if api_key:
            headers["Authorization"] = f"Bearer {check_header('api_key', api_key)}"
        if instance_id is not None:
            headers[INSTANCE] = check_header("instance_id", instance_id)
        try:
            httpx.URL(base_url)
        except HTTPX_ERRORS as error:
            raise connection_error(error, base_url) from error
        try:
            self._http = httpx.AsyncClient(
                base_url=base_url,
                headers=headers,
                trust_env=not is_local(base_url),
                verify=not is_plain_and_local(base_url),
                transport=transport,
            )
        except (ImportError, ValueError, OSError, *HTTPX_ERRORS) as error:
            raise creation_error(error) from error
        self._proxy = proxy_of(base_url) if transport is None else None
        self.base_url = base_url
        self.position = HighestPosition()
        self._timeout_s = timeout_s
        self._max_retries = max_retries

    async def aclose(self) -> None:
        await self._http.aclose()

    async def send(self, request: Request) -> httpx.Response:
        """Return the successful response, with retries where they are safe.

        Raises:
            InvalidValue, InvalidType: the body has no JSON form; nothing was sent.
            NalandaError: the request failed.
        """
        content = request.content()
        deadline = monotonic() + self._timeout_s
        retries = self._max_retries if request.repeatable else 0
        attempt = 0
        while True:
            try:
                return await self._attempt(request, content, deadline - monotonic())
            except NalandaError as error:
                delay = delay_s(error, attempt)
                if delay is None or attempt == retries or monotonic() + delay >= deadline:
                    raise
            await asyncio.sleep(delay)
            attempt += 1

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator[httpx.Response]:
        """Open a streamed response, without retries.

        Raises:
            NalandaError: the request failed, or the response was interrupted.
        """
        timeout = httpx.Timeout(STREAM_SILENCE_S, connect=CONNECT_TIMEOUT_S)
        try:
            async with self._http.stream(
                request.method, request.path, headers=request.headers, timeout=timeout
            ) as response:
                if not response.is_success:
                    await response.aread()
                    raise api_error(response, self._proxy)
                yield response
        except HTTPX_ERRORS as error:
            raise connection_error(error, self.base_url, self._proxy) from error

    async def fetch(self, model: type[M], request: Request) -> M:
        """Return the response's body as a model."""
        return parse_body(model, await self.send(request))

    async def pages(self, model: type[M], request: Request) -> AsyncIterator[M]:
        """Yield the items of a listing, and fetch each page on demand."""
        cursor = None
        while True:
            response = await self.send(request.at_cursor(cursor))
            items, cursor = page_of(model, response)
            for item in items:
                yield item
            if cursor is None:
                return

    async def _attempt(
        self, request: Request, content: bytes | None, timeout_s: float
    ) -> httpx.Response:
        try:
            response = await self._http.request(
                request.method,
                request.path,
                params=request.params,
                content=content,
                files=request.parts or None,
                headers=request.headers if content is None else {**request.headers, **JSON},
                timeout=httpx.Timeout(timeout_s, connect=min(CONNECT_TIMEOUT_S, timeout_s)),
            )
        except HTTPX_ERRORS as error:
            raise connection_error(error, self.base_url, self._proxy) from error
        self.position.see(response)
        if not response.is_success:
            raise api_error(response, self._proxy)
        return response
