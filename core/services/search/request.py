"""The request of a search, and the rules that do not depend on the library."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

from core.contracts.query import SearchMode
from core.domain.document import Embedding
from core.domain.errors import Fault, Invalid
from core.domain.pointers import join

MAX_K = 10_000
MODES: tuple[str, ...] = get_args(SearchMode)
Includable: TypeAlias = Literal["text", "metadata", "document", "embedding"]
INCLUDABLE: tuple[str, ...] = get_args(Includable)
Grouping: TypeAlias = Literal["document_id"]
GROUPINGS: tuple[str, ...] = get_args(Grouping)
PARAMETERS = {"ef": (1, 1_000_000), "nprobe": (1, 1_000_000), "target_recall": (0.9, 0.999)}
"""The parameters of approximate indexes, with their lowest and highest value."""
WEIGHTS = ("vector", "lexical")


@dataclass(frozen=True, slots=True, eq=False)
class SearchRequest:
    """The request of a search; `library` is an id or a name.

    A `vector` search takes an embedding, or a text that the library's model embeds. A `lexical`
    search takes a text. A `hybrid` search takes a text, and optionally an embedding in place of
    the model's; `weights` are those of its two halves.

    `filter` is parsed JSON in the filter language. `parameters` are for approximate indexes, and
    have no effect on an exact search. With `group_by`, hits are the best of each document.
    """

    library: str
    embedding: Embedding | None = None
    embedding_model: str | None = None
    text: str | None = None
    k: int = 10
    mode: str = "vector"
    filter: object | None = None
    exact: bool = False
    parameters: Mapping[str, float] = field(default_factory=dict)
    include: Sequence[str] = ("text", "metadata")
    group_by: str | None = None
    weights: Mapping[str, float] | None = None
    min_position: int = 0

    def check(self, pointer: str = "") -> None:
        """Check the request; `pointer` is its place in the input.

        Raises:
            Invalid: the request breaks rules; one fault for each.
        """
        faults = [
            *self._mode_faults(),
            *self._query_faults(),
            *self._weight_faults(),
            *self._shape_faults(),
        ]
        if faults:
            raise Invalid([Fault(pointer + fault.pointer, fault.detail) for fault in faults])

    def _mode_faults(self) -> list[Fault]:
        if self.mode not in MODES:
            return [Fault("/mode", f"A mode is one of {', '.join(MODES)}.")]
        if self.weights is not None and self.mode != "hybrid":
            return [Fault("/weights", "Only a hybrid search has weights.")]
        return []

    def _query_faults(self) -> list[Fault]:
        embedding, text = self.embedding is not None, self.text is not None
        match self.mode:
            case "lexical" if embedding:
                return [Fault("/embedding", "A lexical search takes a text alone.")]
            case "lexical" | "hybrid" if not text:
                return [Fault("/text", f"A {self.mode} search needs a text.")]
            case "vector" if not embedding and not text:
                return [Fault("/embedding", "A search needs an embedding or a text.")]
            case "vector" if embedding and text:
                return [Fault("/text", "Only a hybrid search takes both an embedding and a text.")]
        return []

    def _weight_faults(self) -> list[Fault]:
        if self.weights is None:
            return []
        if set(self.weights) != set(WEIGHTS):
            return [Fault("/weights", f"Weights are for {' and '.join(WEIGHTS)}, both.")]
        faults = [
            Fault(join("/weights", name), "A weight is from 0 to 1.")
            for name, weight in self.weights.items()
            if not 0 <= weight <= 1
        ]
        if not faults and not any(self.weights.values()):
            return [Fault("/weights", "One of the weights is more than 0.")]
        return faults

    def _shape_faults(self) -> list[Fault]:
        faults = []
        if not 1 <= self.k <= MAX_K:
            faults.append(Fault("/k", f"k is from 1 to {MAX_K}."))
        if self.group_by is not None and self.group_by not in GROUPINGS:
            faults.append(Fault("/group_by", f"Hits are grouped by {' or '.join(GROUPINGS)}."))
        for i, part in enumerate(self.include):
            if part not in INCLUDABLE:
                detail = f"A hit can include {', '.join(INCLUDABLE)}."
                faults.append(Fault(join("/include", i), detail))
        for name, value in self.parameters.items():
            if name not in PARAMETERS:
                detail = f"The parameters of a search are {', '.join(PARAMETERS)}."
                faults.append(Fault(join("/parameters", name), detail))
            elif not PARAMETERS[name][0] <= value <= PARAMETERS[name][1]:
                low, high = PARAMETERS[name]
                faults.append(
                    Fault(join("/parameters", name), f"This is from {low:g} to {high:g}.")
                )
        return faults
