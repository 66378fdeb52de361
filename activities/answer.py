"""The answer stage: an answer based on the hits, with citations."""

import asyncio

from temporalio import activity

from activities.texts import read, read_async
from core.contracts.names import ANSWER
from core.contracts.query import AnswerInput, AnswerOutput
from core.providers.base import Answerer, AsyncAnswerer, GeneratedAnswer
from nalanda import AsyncNalanda, Nalanda


class Answer:
    """The answer stage with a computing answerer, on a thread."""

    def __init__(self, client: Nalanda, answerer: Answerer) -> None:
        self._client = client
        self._answerer = answerer

    @activity.defn(name=ANSWER)
    def answer(self, question: AnswerInput) -> AnswerOutput:
        found = read(self._client, question.library_id, question.hits, question.position)
        generated = self._answerer.answer(question.query, found.passages)
        return answer_output(generated, "local", self._answerer.model, found.changed)


class AsyncAnswer:
    """The answer stage with a remote answerer; `extractive`, on a thread, is the fallback."""

    def __init__(
        self, client: AsyncNalanda, provider: str, answerer: AsyncAnswerer, extractive: Answerer
    ) -> None:
        self._client = client
        self._provider = provider
        self._answerer = answerer
        self._extractive = extractive

    @activity.defn(name=ANSWER)
    async def answer(self, question: AnswerInput) -> AnswerOutput:
        found = await read_async(
            self._client, question.library_id, question.hits, question.position
        )
        if question.extractive:
            generated = await asyncio.to_thread(
                self._extractive.answer, question.query, found.passages
            )
            return answer_output(generated, "local", self._extractive.model, found.changed)
        generated = await self._answerer.answer(question.query, found.passages)
        return answer_output(generated, self._provider, self._answerer.model, found.changed)


def answer_output(
    generated: GeneratedAnswer, provider: str, model: str, changed: list[str]
) -> AnswerOutput:
    return AnswerOutput(
        answer=generated.answer,
        citations=list(generated.citations),
        provider=provider,
        model=model,
        changed=changed,
        usage=generated.usage,
    )
