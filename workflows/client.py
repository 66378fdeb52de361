"""The way to the Temporal cluster, the same for the API, the worker and the tests."""

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter


async def connect(address: str, namespace: str = "default") -> Client:
    """A client that speaks the contracts' JSON.

    Raises:
        RuntimeError: nothing that speaks Temporal answers at `address`.
    """
    return await Client.connect(
        address, namespace=namespace, data_converter=pydantic_data_converter
    )
