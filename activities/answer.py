"""The answer stage: an answer based on the hits, with citations."""

import asyncio

from temporalio import activity

from activities.places import Places, read_documents
from activities.texts import read
from activities.tokens import Tokens
from core.contracts.query import AnswerInput, AnswerOutput, Stage
from core.providers.base import AsyncAnswerer
from nalanda import AsyncNalanda

CALL_ATTEMPTS = 6
"""Attempts of one call of the stage, which the workflow's policy allows."""


class Answer:
    """The answer stage; `extractive` is the fallback of `answerer`."""

    def __init__(
        self, client: AsyncNalanda, answerer: AsyncAnswerer, extractive: AsyncAnswerer
    ) -> None:
        self._client = client
        self._answerer = answerer
        self._extractive = extractive

    @activity.defn(name=Stage.ANSWER)
    async def answer(self, question: AnswerInput) -> AnswerOutput:
        wanted = self._client, question.library_id, question.hits, question.position
        pinned, documents = await asyncio.gather(read(*wanted), read_documents(*wanted))
        answerer = self._extractive if question.extractive else self._answerer
        info = activity.info()
        series = question.call * CALL_ATTEMPTS + info.attempt - 1
        async with Tokens(self._client, info.workflow_id or "", series):
            generated = await answerer.answer(question.query, pinned.passages)
        return AnswerOutput(
            answer=generated.answer,
            citations=Places(pinned.places, documents).cite(generated.citations),
            provider=answerer.provider,
            model=answerer.model,
            changed=pinned.changed,
            usage=generated.usage,
        )
