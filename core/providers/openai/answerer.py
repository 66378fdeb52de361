"""Answering and condensing by a chat model, whose stream is read to its end."""

from collections.abc import Sequence
from typing import Any

import openai
from openai import AsyncOpenAI
from openai.types.chat import ChatCompletionChunk

from core.contracts.budget import Usage
from core.contracts.query import EarlierTurn
from core.providers import condensing
from core.providers.base import Condensed, GeneratedAnswer, Passage
from core.providers.calls import provider_call
from core.providers.metering import begin_call
from core.providers.openai.config import PROVIDER, Server
from core.providers.openai.errors import openai_errors
from core.providers.openai.numbered import INSTRUCTION, prompt, read_answer
from core.providers.refusal import is_refusal
from core.providers.streaming import emit

_THOUGHTS = ("<think>", "</think>")
"""Marks of a model's reasoning, which some servers leave before the answer."""


class AsyncOpenAIAnswerer:
    provider = PROVIDER

    def __init__(self, client: AsyncOpenAI, server: Server) -> None:
        self._client = client
        self._server = server
        self._sampling: dict[str, float] = {"temperature": 0.0}

    @property
    def model(self) -> str:
        return self._server.model

    async def answer(self, query: str, passages: Sequence[Passage]) -> GeneratedAnswer:
        if not passages:
            return GeneratedAnswer()
        answer_text, usage = await self._complete(INSTRUCTION, prompt(query, passages))
        if is_refusal(answer_text):
            return GeneratedAnswer(usage=usage)
        answer, citations = read_answer(answer_text, passages)
        return GeneratedAnswer(answer, citations, usage)

    async def condense(self, query: str, turns: Sequence[EarlierTurn]) -> Condensed:
        """Make a follow-up a question of its own.

        Raises:
            ProviderRejected, ProviderUnavailable: the server fails, or returns no question.
        """
        message = condensing.prompt(query, turns)
        text, usage = await self._complete(condensing.INSTRUCTION, message)
        return Condensed(condensing.read(text, query, self._server.service), usage)

    async def _complete(self, instruction: str, message: str) -> tuple[str, Usage]:
        """Return the model's text without its reasoning, and the usage.

        Raises:
            ProviderRejected, ProviderUnavailable: the server fails, or returns no text.
        """
        with (
            provider_call("chat", PROVIDER, self.model) as call,
            openai_errors(self._server.service),
        ):
            text, usage = await self._read(await self._open_stream(instruction, message))
            call.report(usage)
            if not text.strip():
                raise self._server.service.malformed_answer("it has no text")
        return _without_thoughts(text).strip(), usage

    async def _open_stream(
        self, instruction: str, message: str
    ) -> openai.AsyncStream[ChatCompletionChunk]:
        """Start the answer, at temperature 0 where the model allows it: retries then agree."""
        request: dict[str, Any] = {
            "model": self.model,
            "messages": [
                {"role": "system", "content": instruction},
                {"role": "user", "content": message},
            ],
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        texts = [instruction, message]
        create: Any = self._client.chat.completions.create
        try:
            begin_call(texts)
            stream = await create(**request, **self._sampling)
        except openai.BadRequestError as error:
            if error.param != "temperature" or not self._sampling:
                raise
            self._sampling = {}  # a reasoning model, which refuses it in every call
            begin_call(texts)
            stream = await create(**request)
        return stream  # type: ignore[no-any-return]

    async def _read(self, stream: openai.AsyncStream[ChatCompletionChunk]) -> tuple[str, Usage]:
        """Return the whole text and the usage.

        Raises:
            ProviderUnavailable: the stream was cut off, or the model gave up.
        """
        parts, usage, reason = list[str](), Usage(), None
        shown = 0
        async with stream:
            async for chunk in stream:
                for choice in chunk.choices[:1]:
                    parts.append(choice.delta.content or "")
                    visible = _without_unfinished_thoughts("".join(parts))
                    emit(visible[shown:])
                    shown = len(visible)
                    reason = choice.finish_reason or reason
                if chunk.usage is not None:
                    usage = _usage(chunk)
        if reason is None:
            raise self._server.service.gave_up("the answer is cut off")
        if reason == "content_filter":
            raise self._server.service.gave_up("its content filter stopped the answer")
        return "".join(parts), usage


def _usage(chunk: ChatCompletionChunk) -> Usage:
    counted = chunk.usage
    if counted is None:
        return Usage()
    return Usage(
        input_tokens=int(counted.prompt_tokens or 0),
        output_tokens=int(counted.completion_tokens or 0),
    )


def _without_unfinished_thoughts(text: str) -> str:
    """Return the answer in a text that is still being written."""
    start, end = _THOUGHTS
    begun = text.lstrip()
    if start.startswith(begun[: len(start)]) and end not in text:
        return ""
    return _without_thoughts(text).lstrip()


def _without_thoughts(text: str) -> str:
    start, end = _THOUGHTS
    thought, end_tag, answer = text.partition(end)
    return answer if end_tag and thought.lstrip().startswith(start) else text
