"""The connection to the Temporal cluster, shared by the API, the worker and the tests."""

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from core.tracing import spans
from workflows.tracing import ClientTracing


async def connect(address: str, namespace: str = "default") -> Client:
    """Connect a client that serialises the contracts as JSON.

    Raises:
        RuntimeError: no Temporal server responds at `address`.
    """
    return await Client.connect(
        address,
        namespace=namespace,
        data_converter=pydantic_data_converter,
        interceptors=[ClientTracing()] if spans.is_on() else [],
    )
