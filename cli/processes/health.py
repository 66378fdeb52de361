"""Whether each part can be used now."""

import httpx
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.service import RPCError

from cli.processes.child import Check, Child
from core.contracts.names import SEARCH_ATTRIBUTES

WORKER_READY = "worker ready"


def api(url: str) -> Check:
    """The API says by itself that it is ready."""

    async def check(_child: Child) -> bool:
        try:
            async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
                return (await http.get("/readyz")).is_success
        except httpx.TransportError:
            return False

    return check


def temporal(address: str, namespace: str) -> Check:
    """The server answers, and has the namespace with the project's search attributes."""

    async def check(_child: Child) -> bool:
        request = ListSearchAttributesRequest(namespace=namespace)
        try:
            client = await Client.connect(address, namespace=namespace)
            known = await client.operator_service.list_search_attributes(request)
        except (RuntimeError, RPCError):  # RuntimeError: nothing listens there
            return False
        return set(SEARCH_ATTRIBUTES) <= known.custom_attributes.keys()

    return check


async def worker(child: Child) -> bool:
    """It has no port to ask at; it prints this line once the cluster knows that it polls."""
    return WORKER_READY in child.tail
