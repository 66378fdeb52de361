"""The question is normalised, condensed if need be, and embedded by the library's model."""

import asyncio
from base64 import b64decode
from collections.abc import Sequence

import numpy as np
import pytest
from temporalio.testing import ActivityEnvironment

from activities import preprocess as stage
from activities.preprocess import Preprocess, normalise
from core.contracts.query import EarlierTurn, PreprocessInput, PreprocessOutput
from core.domain.errors import ProviderRejected, ProviderUnavailable
from core.providers.base import Condensed
from tests.unit.activities.models import USAGE, Condenses, Embeds

EMBEDDERS = {"lengths": Embeds(), "more": Embeds()}
ACTIVITY = Preprocess(EMBEDDERS, Condenses(), Condenses("near"))
FOLLOW_UP = PreprocessInput(query=" why? ", embedding_model=None, turns=[EarlierTurn(query="How?")])


async def preprocess(query: str, model: str | None) -> PreprocessOutput:
    question = PreprocessInput(query=query, embedding_model=model)
    return await ActivityEnvironment().run(ACTIVITY.preprocess, question)


@pytest.mark.parametrize(
    ("query", "clean"),
    [
        ("  How \n\t deep?  ", "How deep?"),
        ("cafe\u0301", "caf\u00e9"),
        ("a\u00a0b\u2003c", "a b c"),
        ("", ""),
    ],
)
def test_normalised(query: str, clean: str) -> None:
    assert normalise(query) == clean


async def test_the_clean_question_is_embedded() -> None:
    prepared = await preprocess(" a  b", "lengths")
    assert (prepared.query, prepared.usage) == ("a b", USAGE)
    assert np.frombuffer(b64decode(prepared.embedding or ""), "<f4").tolist() == [3, 1]


async def test_a_lexical_question_gets_no_vector() -> None:
    assert await preprocess(" a  b", None) == PreprocessOutput(query="a b", embedding=None)


async def test_an_unknown_model_is_refused() -> None:
    with pytest.raises(ProviderRejected, match="'other', only with lengths and more\\."):
        await preprocess("a", "other")


async def test_a_follow_up_is_condensed_before_it_is_embedded() -> None:
    question = FOLLOW_UP.model_copy(update={"embedding_model": "lengths"})
    prepared = await ActivityEnvironment().run(ACTIVITY.preprocess, question)
    assert prepared.query == "far: How? | why?"
    assert (prepared.is_condensed, prepared.condense_failure) == (True, None)
    assert np.frombuffer(b64decode(prepared.embedding or ""), "<f4").tolist() == [16, 1]
    assert prepared.usage == USAGE + USAGE


async def test_a_question_that_stands_on_its_own_stays() -> None:
    activity = Preprocess(EMBEDDERS, _Fails(None), Condenses("near"))
    prepared = await ActivityEnvironment().run(activity.preprocess, FOLLOW_UP)
    assert (prepared.query, prepared.is_condensed) == ("why?", False)


@pytest.mark.parametrize(
    "error", [ProviderUnavailable("It is down."), ProviderRejected("The key is wrong.")]
)
async def test_a_failing_provider_leaves_the_follow_up_to_the_simple_form(error: Exception) -> None:
    activity = Preprocess(EMBEDDERS, _Fails(error), Condenses("near"))
    prepared = await ActivityEnvironment().run(activity.preprocess, FOLLOW_UP)
    assert prepared.query == "near: How? | why?"
    assert prepared.condense_failure == str(error)


async def test_a_slow_provider_leaves_the_follow_up_to_the_simple_form(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stage, "CONDENSE_S", 0.001)
    activity = Preprocess(EMBEDDERS, _Hangs(), Condenses("near"))
    prepared = await ActivityEnvironment().run(activity.preprocess, FOLLOW_UP)
    assert prepared.query == "near: How? | why?"
    assert prepared.condense_failure == (
        "The provider did not condense the question within 0.001 s."
    )


class _Fails:
    """A condenser that fails, or finds nothing to condense."""

    provider = "far"

    def __init__(self, error: Exception | None) -> None:
        self._error = error

    async def condense(self, query: str, turns: Sequence[EarlierTurn]) -> Condensed:
        if self._error is not None:
            raise self._error
        return Condensed()


class _Hangs:
    provider = "far"

    async def condense(self, query: str, turns: Sequence[EarlierTurn]) -> Condensed:
        await asyncio.Event().wait()
        return Condensed()
