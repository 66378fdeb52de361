# Written by sdk/unasync.py from _async/node.py: change that one, then `make generate`.
"""The connections to one node."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import httpx

from nalanda._errors import HTTPX_ERRORS, connection_error
from nalanda._proxies import creation_error, is_local, is_plain_and_local, proxy_of
from nalanda._requests import JSON, Request
from nalanda._tracing import trace_headers

CONNECT_TIMEOUT_S = 5.0
STREAM_SILENCE_S = 45.0
"""Timeout of a silent stream: three of the server's heartbeats."""


class Node:
    """A server at an address, and the environment's proxy before it, if there is one.

    Raises:
        InvalidProxy, InvalidCertificates: the environment's can't be used.
    """

    def __init__(
        self, address: str, headers: Mapping[str, str], transport: httpx.BaseTransport | None
    ) -> None:
        try:
            self._http = httpx.Client(
                base_url=address,
                headers=headers,
                trust_env=not is_local(address),
                verify=not is_plain_and_local(address),
                transport=transport,
            )
        except (ImportError, ValueError, OSError, *HTTPX_ERRORS) as error:
            raise creation_error(error) from error
        self.address = address
        self.proxy = proxy_of(address) if transport is None else None

    def close(self) -> None:
        self._http.close()

    def request(self, request: Request, content: bytes | None, timeout_s: float) -> httpx.Response:
        """Send a request once, and return the response, whatever its status is.

        Raises:
            ConnectionFailed, TimedOut: there is none.
        """
        headers = {**request.headers, **trace_headers(), **({} if content is None else JSON)}
        try:
            return self._http.request(
                request.method,
                request.path,
                params=request.params,
                content=content,
                files=request.parts or None,
                headers=headers,
                timeout=httpx.Timeout(timeout_s, connect=min(CONNECT_TIMEOUT_S, timeout_s)),
            )
        except HTTPX_ERRORS as error:
            raise connection_error(error, self.address, self.proxy) from error

    @contextmanager
    def stream(self, request: Request) -> Iterator[httpx.Response]:
        """Open a streamed response, whatever its status is.

        Raises:
            ConnectionFailed, TimedOut: there is none, or it was interrupted.
        """
        timeout = httpx.Timeout(STREAM_SILENCE_S, connect=CONNECT_TIMEOUT_S)
        headers = {**request.headers, **trace_headers()}
        try:
            with self._http.stream(
                request.method, request.path, headers=headers, timeout=timeout
            ) as response:
                yield response
        except HTTPX_ERRORS as error:
            raise connection_error(error, self.address, self.proxy) from error
