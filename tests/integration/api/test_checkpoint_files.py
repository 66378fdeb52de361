"""A node hands out the files of its checkpoints."""

import httpx
import pytest
from pydantic import SecretStr

from core.settings import Settings
from tests.integration.api.calls import open_client


async def test_a_node_names_its_newest_checkpoint_and_sends_its_files(
    api: httpx.AsyncClient, document: str, settings: Settings
) -> None:
    assert (await api.get("/cluster/checkpoint")).json() == {"name": None}
    await api.post("/checkpoint")
    name = (await api.get("/cluster/checkpoint")).json()["name"]
    file = await api.get(f"/cluster/checkpoint/{name}")
    assert file.content == (settings.data_dir / "checkpoints" / name).read_bytes()


@pytest.mark.parametrize("name", ["gone.rows", "..%2Fnalanda.db", "damaged", "%2E%2E"])
async def test_no_other_file_is_sent(api: httpx.AsyncClient, document: str, name: str) -> None:
    answer = await api.get(f"/cluster/checkpoint/{name}")
    assert answer.status_code in {404, 422}
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_checkpoint_needs_a_key_where_keys_are_set(settings: Settings) -> None:
    update = {"api_keys": (SecretStr("secret"),)}
    async with open_client(settings.model_copy(update=update)) as api:
        assert (await api.get("/cluster/checkpoint")).status_code == 401
        keyed = await api.get("/cluster/checkpoint", headers={"Authorization": "Bearer secret"})
    assert keyed.status_code == 200
