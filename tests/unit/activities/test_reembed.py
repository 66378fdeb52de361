"""The activities of a model change, against a scripted API."""

import json
from typing import Any

import httpx
import pytest
from temporalio.testing import ActivityEnvironment

from activities.reembed import Reembed
from core.contracts.reembed import AbandonInput, AdvanceInput
from core.domain.model_change import ModelChangeState
from nalanda import AsyncNalanda, NotFoundError, UnavailableError

GIVEN = AdvanceInput(library_id="l", model="new", state=ModelChangeState.STAGING)


class Steps:
    """An API that gives these answers in order."""

    def __init__(self, *answers: dict[str, Any] | int) -> None:
        self._answers = list(answers)
        self.bodies: list[Any] = []
        self.paths: list[str] = []

    def client(self) -> AsyncNalanda:
        transport = httpx.MockTransport(self._answer)
        return AsyncNalanda("http://rest", transport=transport, max_retries=0)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.paths.append(request.url.path)
        self.bodies.append(json.loads(request.content) if request.content else None)
        answer = self._answers.pop(0)
        if isinstance(answer, int):
            return httpx.Response(answer, json={"title": "no"})
        return httpx.Response(200, json=answer)


async def test_steps_follow_each_other_until_the_state_differs() -> None:
    api = Steps(
        {"state": "staging", "after": "c4"},
        {"state": "staging", "after": "c8"},
        {"state": "comparing", "after": ""},
    )
    beats: list[Any] = []
    environment = ActivityEnvironment()
    environment.on_heartbeat = lambda *details: beats.append(details)
    async with api.client() as client:
        output = await environment.run(Reembed(client).stage, GIVEN)
    assert output.state is ModelChangeState.COMPARING
    assert [body["after"] for body in api.bodies] == ["", "c4", "c8"]
    assert api.bodies[0] == {"model": "new", "state": "staging", "after": ""}
    assert beats == [("c4",), ("c8",)]


async def test_a_change_that_failed_says_why() -> None:
    api = Steps({"state": "failed", "after": "", "error": "The chunk 'c' has no text to embed."})
    async with api.client() as client:
        output = await ActivityEnvironment().run(Reembed(client).stage, GIVEN)
    assert output.error == "The chunk 'c' has no text to embed."


@pytest.mark.parametrize(("status", "error"), [(503, UnavailableError), (404, NotFoundError)])
async def test_an_error_of_the_api_is_the_attempt_s(status: int, error: type[Exception]) -> None:
    api = Steps(status)
    async with api.client() as client:
        with pytest.raises(error):
            await ActivityEnvironment().run(Reembed(client).switch, GIVEN)


@pytest.mark.parametrize("status", [404, 409])
async def test_there_may_be_nothing_left_to_abandon(status: int) -> None:
    api = Steps(status)
    async with api.client() as client:
        await ActivityEnvironment().run(Reembed(client).abandon, AbandonInput(library_id="l"))
    assert api.paths == ["/libraries/l/embedding-model/cancel"]
