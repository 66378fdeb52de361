"""The activities of the four stages, with the models and the API that they call."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

from activities.answer import Answer
from activities.preprocess import Preprocess
from activities.rerank import Rerank
from activities.retrieve import Retrieve
from core.providers.registry import StageModels
from core.settings import Settings
from nalanda import AsyncNalanda

Activities: TypeAlias = list[Callable[..., Any]]

API_TIMEOUT_S = 10.0


@asynccontextmanager
async def open_activities(
    settings: Settings, models: StageModels, instance_id: str | None
) -> AsyncIterator[Activities]:
    """Yield the activities to register.

    Their client closes with the block, and accepts only the API of the instance.
    """
    options = {**client_options(settings), "instance_id": instance_id}
    async with AsyncNalanda(settings.api_url, **options) as client:
        yield build_activities(models, client)


def client_options(settings: Settings) -> dict[str, Any]:
    """Return the options of the worker's clients.

    The clients never retry: Temporal's policy is the only one.
    """
    return {
        "api_key": settings.api_keys[0].get_secret_value() if settings.api_keys else None,
        "timeout_s": API_TIMEOUT_S,
        "max_retries": 0,
    }


def build_activities(models: StageModels, client: AsyncNalanda) -> Activities:
    return [
        Preprocess(models.embedders).preprocess,
        Retrieve(client).retrieve,
        Rerank(client, models.reranker).rerank,
        Answer(client, models.answerer, models.extractive).answer,
    ]
