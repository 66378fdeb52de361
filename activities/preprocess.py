"""The preprocess stage: normalise the question, condense a follow-up, and embed the question."""

import asyncio
import unicodedata
from base64 import b64encode
from collections.abc import Mapping, Sequence

from temporalio import activity

from core.contracts.query import (
    Base64Vector,
    EarlierTurn,
    PreprocessInput,
    PreprocessOutput,
    Stage,
)
from core.domain.errors import BudgetSpent, ProviderError, ProviderRejected
from core.providers.base import AsyncCondenser, AsyncEmbedder, Condensed, Vectors

CONDENSE_S = 15.0
"""How long a provider may take to condense a follow-up, of the stage's 30 s."""


class Preprocess:
    """The preprocess stage; `embedders` has the models of this worker by name.

    `simple` condenses a follow-up if `condenser` fails.
    """

    def __init__(
        self,
        embedders: Mapping[str, AsyncEmbedder],
        condenser: AsyncCondenser,
        simple: AsyncCondenser,
    ) -> None:
        self._embedders = embedders
        self._condenser = condenser
        self._simple = simple

    @activity.defn(name=Stage.PREPROCESS)
    async def preprocess(self, question: PreprocessInput) -> PreprocessOutput:
        asked = normalise(question.query)
        condensed, failure = await self._condense(asked, question.turns)
        output = PreprocessOutput(
            query=normalise(condensed.query or asked),
            embedding=None,
            is_condensed=condensed.query is not None,
            condense_failure=failure,
            usage=condensed.usage,
        )
        if question.embedding_model is None:
            return output
        embedder = self._embedder(question.embedding_model)
        try:
            vectors, usage = await embedder.embed([output.query], "query")
        except BudgetSpent as error:
            return output.model_copy(update={"refused": str(error)})
        embedded = {"embedding": encode_vector(vectors), "usage": output.usage + usage}
        return output.model_copy(update=embedded)

    async def _condense(
        self, query: str, turns: Sequence[EarlierTurn]
    ) -> tuple[Condensed, str | None]:
        """Return the condensed question, and why the provider has not condensed it."""
        if not turns:
            return Condensed(), None
        try:
            async with asyncio.timeout(CONDENSE_S):
                return await self._condenser.condense(query, turns), None
        except TimeoutError:
            failure = f"The provider did not condense the question within {CONDENSE_S:g} s."
        except ProviderError as error:
            failure = str(error)
        return await self._simple.condense(query, turns), failure

    def _embedder(self, model: str) -> AsyncEmbedder:
        embedder = self._embedders.get(model)
        if embedder is None:
            known = " and ".join(self._embedders)
            raise ProviderRejected(f"This worker cannot embed with {model!r}, only with {known}.")
        return embedder


def normalise(query: str) -> str:
    """Normalise to Unicode NFC, with single spaces as white space and none at the ends."""
    return " ".join(unicodedata.normalize("NFC", query).split())


def encode_vector(vectors: Vectors) -> Base64Vector:
    """Encode the first of `(n, dimension)` vectors for the contracts."""
    return b64encode(vectors[0].astype("<f4").tobytes()).decode("ascii")
