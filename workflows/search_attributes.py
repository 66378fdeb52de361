"""Typed keys of the search attributes of workflows, and their values at a start."""

from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

from core.contracts.names import LIBRARY_ATTRIBUTE, STAGE_ATTRIBUTE, STATUS_ATTRIBUTE
from core.contracts.query import Stage

LIBRARY = SearchAttributeKey.for_keyword(LIBRARY_ATTRIBUTE)
STAGE = SearchAttributeKey.for_keyword(STAGE_ATTRIBUTE)
STATUS = SearchAttributeKey.for_keyword(STATUS_ATTRIBUTE)


def initial_attributes(library_id: str, *, stage: Stage | None = None) -> TypedSearchAttributes:
    """Return the search attributes at a start, which save the workflow a write.

    `stage`: the first one of a question.
    """
    pairs = [SearchAttributePair(LIBRARY, library_id), SearchAttributePair(STATUS, "running")]
    if stage is not None:
        pairs.append(SearchAttributePair(STAGE, stage))
    return TypedSearchAttributes(pairs)
