"""Questions with a budget: which calls a provider gets, and what the result says."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from temporalio.client import Client
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from core.settings import Settings
from tests.integration.worker.remote import (
    ANSWERED_S,
    CHUNKS,
    HITS,
    run_question,
    run_worker,
    start,
)
from tests.integration.workflows.stages import Question, until
from tests.model_server import Fault, ModelServer
from tests.unit.activities.rest import Rest

# The SDK of Cohere warns wherever it parses a union of pydantic models.
pytestmark = pytest.mark.filterwarnings("ignore:The `__fields__` attribute:DeprecationWarning")

SPENT = "The question's budget of calls is spent."
BUSY = Fault(503, b"{}")


@dataclass
class AwayRest(Rest):
    """A fake server whose chunks can't be read at first."""

    away: int = 3

    def answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/chunks") and self.away:
            self.away -= 1
            return httpx.Response(503)
        return super().answer(request)


class DyingAttempts(Interceptor):
    """An interceptor whose first attempts at a stage end after their call, without a report."""

    def __init__(self, stage: str, attempts: int) -> None:
        self._stage = stage
        self._attempts = attempts

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        interceptor = self

        class Dying(ActivityInboundInterceptor):
            async def execute_activity(self, input: ExecuteActivityInput) -> Any:
                output = await super().execute_activity(input)
                if input.fn.__name__ == interceptor._stage and interceptor._attempts > 0:
                    interceptor._attempts -= 1
                    raise RuntimeError("The worker dies.")
                return output

        return Dying(next)


@pytest.mark.parametrize(
    ("calls", "degraded"), [(1, ["rerank", "answer"]), (2, ["answer"]), (3, []), (10, [])]
)
async def test_a_budget_of_calls(
    temporal: Client, settings: Settings, server: ModelServer, calls: int, degraded: list[str]
) -> None:
    result = await run_question(temporal, settings, budget={"calls": calls})
    assert (result.degraded, result.degraded_because) == (degraded, dict.fromkeys(degraded, SPENT))
    assert result.answer is not None
    assert len(server.received) == result.usage.calls == min(calls, 3)


async def test_failed_attempts_count(
    temporal: Client, settings: Settings, server: ModelServer
) -> None:
    server.fail_next(Fault())  # the question is embedded
    server.fail_next(BUSY, times=9)
    result = await run_question(temporal, settings, budget={"calls": 3})
    assert (result.degraded, result.provider) == (["rerank", "answer"], "local")
    assert set(result.degraded_because.values()) == {SPENT}
    assert len(server.received) == result.usage.calls == 3


async def test_a_question_that_may_not_be_embedded_is_searched_for_by_its_words(
    temporal: Client, settings: Settings, server: ModelServer
) -> None:
    rest = Rest(CHUNKS, HITS)
    server.fail_next(BUSY)
    result = await run_question(temporal, settings, rest, mode="hybrid", budget={"calls": 1})
    assert result.degraded == ["preprocess", "rerank", "answer"]
    assert set(result.degraded_because.values()) == {SPENT}
    assert result.answer is not None
    assert len(server.received) == result.usage.calls == 1
    [search] = [json.loads(r.content) for r in rest.requests if r.url.path.endswith("/search")]
    assert (search["mode"], "embedding" in search) == ("lexical", False)


async def test_condensing_a_follow_up_counts(
    temporal: Client, settings: Settings, server: ModelServer
) -> None:
    turns = [{"query": "Where is the harbour of Tamralipti?", "answer": "In Bengal."}]
    request: dict[str, Any] = {"query": "And how deep is it?", "turns": turns}
    condensed = await run_question(temporal, settings, budget={"calls": 1}, **request)
    assert condensed.degraded == ["preprocess", "rerank", "answer"]
    assert ["chat" in call.path for call in server.received] == [True]
    whole = await run_question(temporal, settings, budget={"calls": 4}, **request)
    assert (whole.degraded, whole.usage.calls) == ([], 4)
    assert len(server.received) == 1 + 4


async def test_a_budget_of_tokens(
    temporal: Client, settings: Settings, server: ModelServer, provider: str
) -> None:
    result = await run_question(temporal, settings, budget={"tokens": 1})
    # Cohere bills a ranking in other units than tokens.
    refused = (
        ["preprocess", "answer"] if provider == "cohere" else ["preprocess", "rerank", "answer"]
    )
    assert result.degraded == refused
    assert result.degraded_because["preprocess"] == (
        "The question's budget has 1 tokens left; a call takes some 10."
    )
    assert len(server.received) == result.usage.calls == 3 - len(refused)
    assert (result.usage.input_tokens, result.usage.output_tokens) == (0, 0)


async def test_tokens_of_earlier_stages_count(
    temporal: Client, settings: Settings, server: ModelServer
) -> None:
    whole = await run_question(temporal, settings, budget={"tokens": 100_000})
    assert whole.degraded == []
    embedded = await run_question(temporal, settings, budget={"tokens": 12})
    assert "preprocess" not in embedded.degraded
    assert "answer" in embedded.degraded
    assert 0 < embedded.usage.input_tokens <= 12


async def test_a_budget_outlives_the_worker(
    temporal: Client, settings: Settings, server: ModelServer
) -> None:
    server.fail_next(Fault())  # the question is embedded
    server.fail_next(Fault(503, b"{}", {"Retry-After": "2"}))
    async with run_worker(temporal, settings, Rest(CHUNKS, HITS)):
        handle = await start(temporal, settings, budget={"calls": 2})
        await until(lambda: _is_tried_again(handle))
    async with run_worker(temporal, settings, Rest(CHUNKS, HITS)), asyncio.timeout(ANSWERED_S):
        result = await handle.result()
    assert result.degraded_because == {"rerank": SPENT, "answer": SPENT}
    assert len(server.received) == result.usage.calls == 2


async def test_an_attempt_without_a_report_counts_as_a_call(
    temporal: Client, settings: Settings, server: ModelServer
) -> None:
    dying = [DyingAttempts("rerank", 5)]
    async with run_worker(temporal, settings, Rest(CHUNKS, HITS), dying):
        handle = await start(temporal, settings, budget={"calls": 3})
        async with asyncio.timeout(ANSWERED_S):
            result = await handle.result()
    assert result.degraded_because == {"rerank": SPENT, "answer": SPENT}
    assert len(server.received) == result.usage.calls == 3


async def test_attempts_without_an_api_spend_nothing(
    temporal: Client, settings: Settings, server: ModelServer
) -> None:
    result = await run_question(temporal, settings, AwayRest(CHUNKS, HITS), budget={"calls": 3})
    assert result.degraded == []
    assert len(server.received) == result.usage.calls == 3


async def test_local_models_spend_nothing(temporal: Client, settings: Settings) -> None:
    local = settings.model_copy(update={"provider": "local"})
    budget = {"calls": 1, "tokens": 1}
    result = await run_question(temporal, local, embedding_model="wordllama-256", budget=budget)
    assert (result.degraded, result.provider) == ([], "local")
    assert set(result.usage.model_dump().values()) == {0}


async def _is_tried_again(handle: Question) -> bool:
    pending = (await handle.describe()).raw_description.pending_activities
    return any(one.activity_type.name == "rerank" and one.attempt > 1 for one in pending)
