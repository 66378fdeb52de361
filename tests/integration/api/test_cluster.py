"""The cluster, as one node shows it."""

import re

import httpx
from pydantic import SecretStr

from core.settings import Settings
from tests.integration.api.calls import open_client


async def test_a_node_on_sqlite_leads_alone(api: httpx.AsyncClient, library: str) -> None:
    shown = (await api.get("/cluster")).json()
    [node] = shown["nodes"]
    assert shown["role"] == node["role"] == "leader"
    assert shown["node_id"] == shown["leader"]["node_id"] == node["node_id"]
    assert (shown["position"], node["position"], node["lag"]) == (1, 1, 0)
    assert (shown["epoch"], shown["durability"]) == (1, "local")
    assert re.fullmatch("[0-9a-f]{64}", shown["digest"])


async def test_a_node_on_postgresql_holds_the_lease(settings: Settings, postgres_url: str) -> None:
    address = "http://first:8000"
    update = {"database_url": SecretStr(postgres_url), "advertise_url": address}
    async with open_client(settings.model_copy(update=update)) as api:
        await api.put("/libraries/l", json={"name": "planar", "dimension": 2})
        shown = (await api.get("/cluster")).json()
    assert shown["leader"] == {"node_id": shown["node_id"], "address": address}
    assert (shown["role"], shown["epoch"], shown["position"]) == ("leader", 1, 1)
    assert [node["address"] for node in shown["nodes"]] == [address]


async def test_a_node_keeps_its_id(settings: Settings) -> None:
    ids = []
    for _ in range(2):
        async with open_client(settings) as api:
            ids.append((await api.get("/cluster")).json()["node_id"])
    assert len(set(ids)) == 1
