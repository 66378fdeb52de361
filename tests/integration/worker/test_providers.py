"""A whole question with each remote provider, and what its result tells when the provider fails."""

import pytest
from temporalio.client import Client, WorkflowFailureError

from core.settings import Settings
from tests.cohere_server import refusal as cohere_refusal
from tests.integration.worker.remote import KEY, QUOTE, run_question
from tests.model_server import Fault, ModelServer
from tests.openai_server import refusal as openai_refusal

# The SDK of Cohere warns wherever it parses a union of pydantic models.
pytestmark = pytest.mark.filterwarnings("ignore:The `__fields__` attribute:DeprecationWarning")


async def test_the_three_roles(
    temporal: Client, settings: Settings, provider: str, server: ModelServer
) -> None:
    result = await run_question(temporal, settings)
    assert (result.provider, result.degraded, result.degraded_because) == (provider, [], {})
    assert [(c.chunk_id, c.quote) for c in result.citations] == [("c0", QUOTE)]
    assert result.hits[0].chunk_id == "c0"
    assert len(server.received) == result.usage.calls == 3
    assert result.usage.input_tokens > 0


async def test_what_the_provider_said_is_why(
    temporal: Client, settings: Settings, provider: str, server: ModelServer
) -> None:
    refusal = cohere_refusal if provider == "cohere" else openai_refusal
    said = refusal(422, f"The model is being moved, {KEY.get_secret_value()}.")
    server.fail_next(Fault())  # the question is embedded
    server.fail_next(said, times=2)
    result = await run_question(temporal, settings)
    assert (result.degraded, result.provider) == (["rerank", "answer"], "local")
    for stage in result.degraded:
        why = result.degraded_because[stage]
        assert "refused the request (422): The model is being moved, …" in why
        assert KEY.get_secret_value() not in why


async def test_a_question_that_is_never_embedded_says_why(
    temporal: Client, settings: Settings, server: ModelServer
) -> None:
    server.fail_next(Fault(503), times=50)
    with pytest.raises(WorkflowFailureError) as failure:
        await run_question(temporal, settings, deadline_s=3.0)
    cause = failure.value.__cause__
    assert "Nothing was found within 3.0 s." in str(cause)
    assert "is not available (503)" in str(cause)
