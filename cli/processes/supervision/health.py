"""Health checks of the services."""

import httpx
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.service import RPCError

from cli.processes.supervision.child import Check, Child
from core.contracts.names import SEARCH_ATTRIBUTES

WORKER_READY = "worker ready"


def api(url: str) -> Check:
    """Return a check that the API reports to be ready."""
    # Loading certificates takes 20 ms of CPU time at each look, and plain HTTP needs none.
    tls = url.startswith("https:")

    async def check(_child: Child) -> bool:
        try:
            async with httpx.AsyncClient(base_url=url, trust_env=False, verify=tls) as http:
                return (await http.get("/readyz")).is_success
        except httpx.TransportError:
            return False

    return check


def temporal(address: str, namespace: str) -> Check:
    """Return a check that Temporal responds, and has the namespace and the search attributes."""

    async def check(_child: Child) -> bool:
        request = ListSearchAttributesRequest(namespace=namespace)
        try:
            client = await Client.connect(address, namespace=namespace)
            known = await client.operator_service.list_search_attributes(request)
        except (RuntimeError, RPCError):  # RuntimeError: no server listens there
            return False
        return set(SEARCH_ATTRIBUTES) <= known.custom_attributes.keys()

    return check


async def worker(child: Child) -> bool:
    """Return True once the worker has printed its ready line.

    The worker has no port; it prints the line when the cluster lists it as a poller.
    """
    return WORKER_READY in child.tail
