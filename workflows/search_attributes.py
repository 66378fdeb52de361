"""Typed keys of the search attributes of questions."""

from temporalio.common import SearchAttributeKey

from core.contracts.names import LIBRARY_ATTRIBUTE, STAGE_ATTRIBUTE, STATUS_ATTRIBUTE

LIBRARY = SearchAttributeKey.for_keyword(LIBRARY_ATTRIBUTE)
STAGE = SearchAttributeKey.for_keyword(STAGE_ATTRIBUTE)
STATUS = SearchAttributeKey.for_keyword(STATUS_ATTRIBUTE)
