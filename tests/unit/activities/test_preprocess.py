"""The question is normalised, and embedded by the library's model of either kind."""

from base64 import b64decode

import numpy as np
import pytest
from temporalio.testing import ActivityEnvironment

from activities.preprocess import AsyncPreprocess, Preprocess, normalised
from core.contracts.query import PreprocessInput, Usage
from core.domain.errors import ProviderRejected
from tests.unit.activities.models import USAGE, AsyncEmbeds, Embeds

COMPUTED = Preprocess(Embeds())
AWAITED = AsyncPreprocess(AsyncEmbeds(), local=Embeds())


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
    assert normalised(query) == clean


def test_on_a_thread() -> None:
    prepared = ActivityEnvironment().run(
        COMPUTED.preprocess, PreprocessInput(query=" a  b", embedding_model="lengths")
    )
    assert (prepared.query, prepared.usage) == ("a b", Usage())
    assert np.frombuffer(b64decode(prepared.embedding or ""), "<f4").tolist() == [3, 1]


@pytest.mark.parametrize(("model", "usage"), [("lengths-far", USAGE), ("lengths", Usage())])
async def test_awaited(model: str, usage: Usage) -> None:
    prepared = await ActivityEnvironment().run(
        AWAITED.preprocess, PreprocessInput(query=" a  b", embedding_model=model)
    )
    assert (prepared.query, prepared.usage) == ("a b", usage)
    assert np.frombuffer(b64decode(prepared.embedding or ""), "<f4").tolist() == [3, 1]


async def test_an_unknown_model_is_refused() -> None:
    question = PreprocessInput(query="a", embedding_model="other")
    with pytest.raises(ProviderRejected, match="'other', only with lengths\\."):
        ActivityEnvironment().run(COMPUTED.preprocess, question)
    with pytest.raises(ProviderRejected, match="lengths-far and lengths"):
        await ActivityEnvironment().run(AWAITED.preprocess, question)
