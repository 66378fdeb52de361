"""Behaviour outside of resources: server state, keys, unknown routes, unexpected errors."""

import httpx
import pytest
from pydantic import SecretStr

from api.main import create_app
from core.settings import Settings
from tests.integration.api.calls import assert_problem, open_client


async def test_it_lives_and_has_a_version(api: httpx.AsyncClient) -> None:
    assert (await api.get("/livez")).json() == {"status": "ok"}
    assert (await api.get("/version")).json()["version"]


async def test_it_is_ready_without_temporal_and_says_so(api: httpx.AsyncClient) -> None:
    answer = await api.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["ready"] is True
    assert answer.json()["checks"]["storage"] == "ok"
    assert "unreachable" in answer.json()["checks"]["temporal"]


async def test_it_is_not_ready_once_its_storage_is_gone(settings: Settings) -> None:
    app = create_app(settings)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost") as api,
    ):
        app.state.core.close()
        answer = await api.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["ready"] is False
    assert answer.json()["epoch"] is None
    assert answer.json()["checks"]["storage"] != "ok"


async def test_it_says_which_disks_have_a_write(api: httpx.AsyncClient) -> None:
    answer = (await api.get("/readyz")).json()
    assert (answer["durability"], answer["checks"]["durability"]) == ("local", "ok")
    exposition = (await api.get("/metrics")).text
    assert 'nalanda_durability{level="local"} 1.0' in exposition
    assert 'nalanda_durability{level="synchronous"} 0.0' in exposition


async def test_it_says_where_it_stands_in_its_cluster(api: httpx.AsyncClient) -> None:
    answer = (await api.get("/readyz")).json()
    assert (answer["role"], answer["epoch"], answer["lag"], answer["lag_s"]) == ("leader", 1, 0, 0)
    exposition = (await api.get("/metrics")).text
    for line in (
        'nalanda_role{role="leader"} 1.0',
        'nalanda_role{role="follower"} 0.0',
        "nalanda_epoch 1.0",
        "nalanda_elections_total 0.0",
        "nalanda_lag_writes 0.0",
        "nalanda_lag_seconds 0.0",
        "nalanda_forwarded_requests_total 0.0",
    ):
        assert line in exposition


async def test_writes_that_have_to_be_synchronous_are_refused_and_reads_are_not(
    settings: Settings,
) -> None:
    strict = settings.model_copy(update={"require_synchronous": True})
    async with open_client(strict) as api:
        refused = await api.put("/libraries/l", json={"name": "planar", "dimension": 2})
        assert_problem(refused, 503)
        assert "NALANDA_REQUIRE_SYNCHRONOUS" in refused.json()["detail"]
        assert "set NALANDA_DATABASE_URL" in refused.json()["detail"]
        assert refused.headers["Retry-After"]
        assert (await api.get("/libraries")).json()["items"] == []
        answer = await api.get("/readyz")
        assert answer.status_code == 200
        assert "set NALANDA_DATABASE_URL" in answer.json()["checks"]["durability"]


async def test_metrics_count_by_route_not_by_path(api: httpx.AsyncClient, document: str) -> None:
    await api.get("/libraries/l")
    await api.get("/libraries/none")
    await api.get("/no/such/route")
    exposition = (await api.get("/metrics")).text
    requests = 'nalanda_http_requests_total{method="GET",route="/libraries/{library_id}",status='
    assert f'{requests}"200"}} 1.0' in exposition
    assert f'{requests}"404"}} 1.0' in exposition
    assert "no/such" not in exposition
    assert "nalanda_position 2.0" in exposition
    assert "nalanda_vectors 3.0" in exposition
    assert "nalanda_http_request_seconds_bucket" in exposition


async def test_each_app_counts_for_itself(api: httpx.AsyncClient, settings: Settings) -> None:
    other = settings.model_copy(update={"data_dir": settings.data_dir / "other"})
    await api.get("/livez")
    async with open_client(other) as second:
        assert 'route="/livez"' not in (await second.get("/metrics")).text
    assert 'route="/livez"' in (await api.get("/metrics")).text


@pytest.mark.parametrize("path", ["/nothing", "/libraries/", "/libraries/l/", "/query/a/b"])
async def test_routes_that_do_not_exist(api: httpx.AsyncClient, path: str) -> None:
    assert_problem(await api.get(path), 404)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/libraries", "GET, POST"),
        ("POST", "/libraries/l", "GET, PUT, PATCH, DELETE"),
        ("PUT", "/libraries/l/search", "POST"),
        ("BREW", "/livez", "GET"),
        ("PATCH", "/query", "GET, POST"),
    ],
)
async def test_methods_that_do_not_exist(
    api: httpx.AsyncClient, method: str, path: str, allowed: str
) -> None:
    answer = await api.request(method, path)
    assert_problem(answer, 405)
    assert answer.headers["Allow"] == allowed


async def test_a_surprise_shows_nothing_of_the_inside(settings: Settings) -> None:
    app = create_app(settings)

    @app.get("/surprise")
    async def surprise() -> None:
        raise ZeroDivisionError("secret")

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as api:
        answer = await api.get("/surprise")
    assert_problem(answer, 500)
    assert "secret" not in answer.text
    assert "ZeroDivision" not in answer.text


async def test_without_temporal_only_questions_are_refused(
    api: httpx.AsyncClient, document: str
) -> None:
    question = {"library": "l", "query": "What?"}
    await api.put("/libraries/t", json={"name": "t"})
    for answer in (
        await api.post("/query", json={**question, "library": "t"}),
        await api.get("/query"),
        await api.get("/query/q"),
        await api.get("/query/q/events"),
        await api.post("/query/q/cancel"),
        await api.post("/query/q/feedback", json={"rating": 1}),
    ):
        assert_problem(answer, 503)
        assert int(answer.headers["Retry-After"]) >= 1
    assert (await api.get("/libraries/l")).status_code == 200


@pytest.fixture
def guarded(settings: Settings) -> Settings:
    return settings.model_copy(update={"api_keys": (SecretStr("first"), SecretStr("second"))})


async def test_keys(guarded: Settings) -> None:
    async with open_client(guarded) as api:
        for key in ("first", "second"):
            headers = {"Authorization": f"Bearer {key}"}
            assert (await api.get("/libraries", headers=headers)).status_code == 200
        for authorization in (None, "Bearer", "Bearer third", "Basic first", "first", "Bearer ü"):
            given = [(b"Authorization", authorization.encode("latin-1"))] if authorization else []
            answer = await api.get("/libraries", headers=given)
            assert_problem(answer, 401)
            assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert_problem(await api.get("/no/such/route"), 401)
        assert_problem(await api.get("/metrics"), 401)
        for path in ("/livez", "/readyz", "/version", "/docs", "/openapi.json"):
            assert (await api.get(path)).status_code == 200
