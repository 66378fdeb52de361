"""Requests from web pages: without keys, foreign hosts and origins are refused."""

import httpx
import pytest
from pydantic import SecretStr, ValidationError

from core.settings import Settings
from tests.integration.api.calls import assert_problem, open_client

FOREIGN = [("Host", "evil.example:8000")]


async def test_a_foreign_host_is_refused_and_the_setting_named(api: httpx.AsyncClient) -> None:
    for path in ("/libraries", "/docs", "/openapi.json", "/metrics", "/no/route"):
        answer = await api.get(path, headers=FOREIGN)
        assert_problem(answer, 403)
        assert "add evil.example to the server's NALANDA_ALLOWED_HOSTS" in answer.json()["detail"]


async def test_a_write_for_a_foreign_host_changes_nothing(api: httpx.AsyncClient) -> None:
    assert_problem(await api.put("/libraries/l", json={"name": "l"}, headers=FOREIGN), 403)
    assert_problem(await api.get("/libraries/l"), 404)


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1:1", "127.1.2.3", "[::1]:8000", "LOCALHOST"]
)
async def test_this_machine_is_served(api: httpx.AsyncClient, host: str) -> None:
    assert (await api.get("/libraries", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
async def test_probes_may_call_any_address(api: httpx.AsyncClient, path: str) -> None:
    assert (await api.get(path, headers={"Host": "10.1.2.3:8000"})).status_code == 200


@pytest.mark.parametrize(
    "hosts",
    [
        *([], ["localhost", "localhost"], ["localhost", "evil.example"], [""], ["a b"]),
        *(["localhost, evil"], ["evil/localhost"], ["evil@localhost"], ["[localhost]"]),
    ],
)
async def test_anything_but_one_host_is_malformed(settings: Settings, hosts: list[str]) -> None:
    async with open_client(settings) as api:
        request = api.build_request("GET", "/libraries")
        request.headers = httpx.Headers([("Host", host) for host in hosts])
        assert_problem(await api.send(request), 400)


async def test_a_setting_adds_hosts(settings: Settings) -> None:
    more = settings.model_copy(update={"allowed_hosts": ("db.example.org",)})
    async with open_client(more) as api:
        for host in ("db.example.org", "db.example.org:8443", "localhost"):
            assert (await api.get("/libraries", headers={"Host": host})).status_code == 200
        assert_problem(await api.get("/libraries", headers=FOREIGN), 403)


def test_the_setting_is_a_list_of_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NALANDA_ALLOWED_HOSTS", " db , .example.org,")
    assert Settings().allowed_hosts == ("db", ".example.org")
    monkeypatch.setenv("NALANDA_ALLOWED_HOSTS", "db,http://db")
    with pytest.raises(ValidationError, match="'http://db' is no host"):
        Settings()


async def test_with_keys_only_a_set_list_is_checked(settings: Settings) -> None:
    guarded = settings.model_copy(update={"api_keys": (SecretStr("key"),)})
    key = ("Authorization", "Bearer key")
    page = ("Origin", "https://evil.example")
    async with open_client(guarded) as api:
        assert (await api.get("/libraries", headers=[key, *FOREIGN])).status_code == 200
        made = await api.post("/libraries", json={"name": "l"}, headers=[key, *FOREIGN, page])
        assert made.status_code == 201
    async with open_client(guarded.model_copy(update={"allowed_hosts": ("db",)})) as api:
        assert_problem(await api.get("/libraries", headers=[key, *FOREIGN]), 403)
        assert (await api.get("/libraries", headers=[key, ("Host", "db")])).status_code == 200


WRITES = [
    ("POST", "/libraries"),
    ("POST", "/checkpoint"),
    ("POST", "/query/q/cancel"),
    ("POST", "/libraries/l/search"),
    ("PUT", "/libraries/l"),
    ("PATCH", "/libraries/l"),
    ("DELETE", "/libraries/l"),
]
PAGES = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://localhost:3000"},
    {"Origin": "http://127.0.0.1"},
    {"Origin": "file://"},
    {"Origin": "chrome-extension://localhost"},
    {"Origin": ""},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "http://localhost", "Sec-Fetch-Site": "cross-site"},
    {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
]


@pytest.mark.parametrize("page", PAGES, ids=str)
async def test_writes_of_other_pages_are_refused(
    api: httpx.AsyncClient, library: str, page: dict[str, str]
) -> None:
    for method, path in WRITES:
        answer = await api.request(method, path, headers=page)
        assert_problem(answer, 403)
        assert "another origin" in answer.json()["detail"]
    assert (await api.get(f"/libraries/{library}")).status_code == 200


@pytest.mark.parametrize(
    "page",
    [
        {"Origin": "http://localhost"},
        {"Origin": "http://localhost:80", "Sec-Fetch-Site": "same-origin"},
        {"Origin": "https://LOCALHOST"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
    ],
    ids=str,
)
async def test_writes_of_the_servers_own_pages_are_taken(
    api: httpx.AsyncClient, page: dict[str, str]
) -> None:
    assert (await api.post("/checkpoint", headers=page)).status_code == 200


@pytest.mark.parametrize("page", PAGES, ids=str)
async def test_pages_may_read_what_their_browser_then_keeps_from_them(
    api: httpx.AsyncClient, page: dict[str, str]
) -> None:
    answer = await api.get("/libraries", headers=page)
    assert answer.status_code == 200
    assert "Access-Control-Allow-Origin" not in answer.headers
