"""Fixtures of a remote provider: its server, and the settings of a worker that uses it."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from core.settings import Settings
from tests.cohere_server import CohereServer
from tests.integration.worker.remote import KEY
from tests.model_server import ModelServer
from tests.openai_server import OpenAIServer


@pytest.fixture(params=["cohere", "openai"])
def provider(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def server(provider: str) -> Iterator[ModelServer]:
    kinds: dict[str, type[ModelServer]] = {"cohere": CohereServer, "openai": OpenAIServer}
    with kinds[provider]() as running:
        yield running


@pytest.fixture
def settings(provider: str, server: ModelServer) -> Settings:
    values: dict[str, Any] = {
        "provider": provider,
        "task_queue": f"test-{uuid4()}",
        **server.settings(KEY),
    }
    return Settings(**values)
