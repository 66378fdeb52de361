"""Transports that record calls and their results, for the completeness test."""

from dataclasses import dataclass, field

import httpx


@dataclass(frozen=True)
class Call:
    method: str
    path: str
    status: int


@dataclass
class Record:
    """The calls of the tests: by plain HTTP and by each SDK client."""

    http: set[Call] = field(default_factory=set)
    sdk: set[Call] = field(default_factory=set)
    sdk_async: set[Call] = field(default_factory=set)


class Recording(httpx.HTTPTransport):
    def __init__(self, calls: set[Call]) -> None:
        super().__init__()
        self._calls = calls

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = super().handle_request(request)
        self._calls.add(Call(request.method, request.url.path, response.status_code))
        return response


class AsyncRecording(httpx.AsyncHTTPTransport):
    def __init__(self, calls: set[Call]) -> None:
        super().__init__()
        self._calls = calls

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        self._calls.add(Call(request.method, request.url.path, response.status_code))
        return response
