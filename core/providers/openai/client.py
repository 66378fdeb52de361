"""Clients of OpenAI's SDK for a server, without retries of their own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from openai import AsyncOpenAI, OpenAI

from core.providers.clients import open_client
from core.providers.openai.config import Server
from core.providers.openai.errors import openai_errors

TIMEOUT = httpx.Timeout(60.0, connect=5.0)
ANSWER_TIMEOUT = httpx.Timeout(115.0, connect=5.0)
"""A chat model on a CPU may read the sources for a minute before its first word."""


def connect(server: Server, http: httpx.Client) -> OpenAI:
    """Return a blocking client; the caller closes `http`.

    Raises:
        ProviderRejected: the address or the key can't be used.
    """
    with openai_errors(server.service):
        return OpenAI(**_options(server, http))


@asynccontextmanager
async def open_server(
    server: Server, timeouts: httpx.Timeout = TIMEOUT
) -> AsyncIterator[AsyncOpenAI]:
    """Open an awaitable client, whose connections close with the block.

    Raises:
        ProviderRejected: the address, the key or the environment can't be used.
    """
    async with open_client(httpx.AsyncClient, server.url, timeouts) as http:
        with openai_errors(server.service):
            client = AsyncOpenAI(**_options(server, http))
        yield client


def _options(server: Server, http: object) -> dict[str, Any]:
    # The SDK takes httpx's client as well as that of httpx2, which its types name.
    return {
        "api_key": server.key,
        "base_url": server.url,
        "max_retries": 0,
        "http_client": http,
    }
