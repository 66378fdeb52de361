"""The listing of questions."""

from typing import Any

import httpx

from tests.integration.api.questions.calls import (
    state_of,
    until,
)
from tests.integration.api.script import Script


async def test_listing(api: httpx.AsyncClient, question: dict[str, Any], script: Script) -> None:
    await api.put("/libraries/listed", json={"name": "x", "embedding_model": "wordllama-256"})
    ids = []
    for _ in range(3):
        asked = await api.post("/query?wait_s=20", json={**question, "library": "listed"})
        ids.append(asked.json()["workflow_id"])
    script.gate.clear()
    running = (await api.post("/query", json={**question, "library": "x"})).json()["workflow_id"]

    async def listed(**params: Any) -> list[str]:
        seen = []
        cursor: dict[str, str] = {}
        while True:
            page = (await api.get("/query", params={"limit": 2, **params, **cursor})).json()
            seen += [item["workflow_id"] for item in page["items"]]
            if page["next_cursor"] is None:
                return seen
            cursor = {"cursor": page["next_cursor"]}

    await until(lambda: listed(library="x"), [running, *reversed(ids)])
    await until(lambda: listed(library="listed", status="completed"), list(reversed(ids)))
    assert await listed(library="x", status="running") == [running]
    assert await listed(library="x", until="2020-01-01T00:00:00Z") == []
    assert len(await listed(library="x", since="2020-01-01T00:00:00+01:00")) == 4
    item = (await api.get("/query", params={"library": "x", "status": "running"})).json()["items"][
        0
    ]
    assert (item["library"], item["status"], item["ended_at"]) == ("listed", "running", None)


async def test_a_question_has_its_text_and_library(
    api: httpx.AsyncClient, question: dict[str, Any], script: Script
) -> None:
    long = {**question, "query": "x" * 2_000}
    workflow_id = (await api.post("/query?wait_s=20", json=long)).json()["workflow_id"]
    state = await state_of(api, workflow_id)
    assert (state["library"], state["query"]) == ("texts", "x" * 1_000)

    async def listed() -> Any:
        items = (await api.get("/query")).json()["items"]
        return [(item["library"], item["query"]) for item in items]

    await until(listed, [("texts", "x" * 1_000)])
