"""Registration of the search attributes of questions."""

from collections.abc import Iterable

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import (
    AddSearchAttributesRequest,
    ListSearchAttributesRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from core.contracts.names import SEARCH_ATTRIBUTES


async def register_search_attributes(client: Client) -> None:
    """Add the attributes that the namespace lacks.

    Raises:
        RPCError: the cluster or the namespace is unavailable, or registration is forbidden.
    """
    known = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace)
    )
    await _add(client, set(SEARCH_ATTRIBUTES) - known.custom_attributes.keys())


async def _add(client: Client, missing: Iterable[str]) -> None:
    keyword = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
    if wanted := dict.fromkeys(missing, keyword):
        request = AddSearchAttributesRequest(namespace=client.namespace, search_attributes=wanted)
        try:
            await client.operator_service.add_search_attributes(request)
        except RPCError as error:
            if (
                error.status is not RPCStatusCode.ALREADY_EXISTS
            ):  # another worker added the attributes
                raise
