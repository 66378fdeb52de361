"""The question is normalised, and embedded by the library's model."""

from base64 import b64decode

import numpy as np
import pytest
from temporalio.testing import ActivityEnvironment

from activities.preprocess import Preprocess, normalise
from core.contracts.query import PreprocessInput, PreprocessOutput
from core.domain.errors import ProviderRejected
from tests.unit.activities.models import USAGE, Embeds

ACTIVITY = Preprocess({"lengths": Embeds(), "more": Embeds()})


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
