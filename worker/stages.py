"""The activities of questions and ingestions, with the models and the API that they call."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

from activities.answer import Answer
from activities.ingest import Ingest
from activities.ingest_turn import FILES_AT_ONCE, FILES_OF_REMOTE_MODELS_AT_ONCE
from activities.precedence import QuestionStages
from activities.preprocess import Preprocess
from activities.reembed import Reembed
from activities.rerank import Rerank
from activities.retrieve import Retrieve
from core.providers.registry import StageModels, choose
from core.settings import Settings
from nalanda import AsyncNalanda

Activities: TypeAlias = list[Callable[..., Any]]

API_TIMEOUT_S = 10.0
WRITE_TIMEOUT_S = 600.0
"""Timeout of the calls of an ingestion: the API embeds a document before it answers."""


@asynccontextmanager
async def open_activities(
    settings: Settings, models: StageModels, instance_id: str | None
) -> AsyncIterator[Activities]:
    """Yield the activities to register.

    Their client closes with the block, and accepts only the API of the instance. Each of its reads
    names the position of its question, and has to see no more.
    """
    options = {**client_options(settings), "consistency": "eventual"}
    async with AsyncNalanda(settings.api_url, **options, instance_id=instance_id) as client:
        yield build_activities(models, client)


def client_options(settings: Settings) -> dict[str, Any]:
    """Return the options of the worker's clients.

    The clients ask each node once and never wait: Temporal's policy is the only one.
    """
    return {
        "api_key": settings.api_keys[0].get_secret_value() if settings.api_keys else None,
        "timeout_s": API_TIMEOUT_S,
        "max_retries": 0,
    }


def build_activities(models: StageModels, client: AsyncNalanda) -> Activities:
    return [
        Preprocess(models.embedders, models.condenser, models.simple_condenser).preprocess,
        Retrieve(client).retrieve,
        Rerank(client, models.reranker).rerank,
        Answer(client, models.answerer, models.extractive).answer,
    ]


@asynccontextmanager
async def open_ingest_activities(
    settings: Settings, instance_id: str | None, questions: QuestionStages
) -> AsyncIterator[Activities]:
    """Yield the activities of ingestions and model changes; files wait for `questions`.

    Their client waits for the writes of large documents, and for the switch of a model. Its reads
    see what other workers have written for the ingestion.
    """
    options = {**client_options(settings), "timeout_s": WRITE_TIMEOUT_S, "consistency": "strong"}
    async with AsyncNalanda(settings.api_url, **options, instance_id=instance_id) as client:
        is_remote = any(factory.is_remote for factory in choose(settings).embed)
        files_at_once = FILES_OF_REMOTE_MODELS_AT_ONCE if is_remote else FILES_AT_ONCE
        yield ingest_activities(client, files_at_once=files_at_once, questions=questions)


def ingest_activities(
    client: AsyncNalanda,
    *,
    files_at_once: int = FILES_AT_ONCE,
    questions: QuestionStages | None = None,
) -> Activities:
    ingest = Ingest(client, files_at_once=files_at_once, questions=questions)
    reembed = Reembed(client)
    return [
        ingest.ingest_files,
        ingest.prune,
        ingest.remove_added,
        reembed.stage,
        reembed.compare,
        reembed.switch,
        reembed.revert,
        reembed.abandon,
    ]
