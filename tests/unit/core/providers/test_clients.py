"""HTTP clients of providers: proxies that are no use end in one line, local servers take none."""

import sys
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from core.domain.errors import ProviderRejected, ProviderUnavailable
from core.providers.clients import is_local, open_client, proxy_of
from core.providers.cohere.errors import cohere_errors
from core.providers.cohere.models import CohereEmbedder
from core.providers.registry import embedders, open_models
from core.settings import Settings

SOCKS = "socks5://127.0.0.1:1080"
COHERE = httpx.URL("https://api.cohere.com")
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*PROXIES, "CO_API_KEY", "CO_API_URL", "NALANDA_PROVIDER"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setitem(sys.modules, "socksio", None)  # what SOCKS needs, where it is installed


def settings(url: str | None = None) -> Settings:
    return Settings(provider="cohere", cohere_api_key=SecretStr("a-key"), cohere_api_url=url)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ALL_PROXY", SOCKS, r"pip install 'httpx\[socks\]'"),
        ("HTTPS_PROXY", "ftp://proxy.example", "HTTPS_PROXY"),
        ("HTTP_PROXY", "http://[::", "HTTP_PROXY"),
        ("NO_PROXY", "[::1]", r"NO_PROXY has the entry \[::1\], .* write ::1\."),
        ("SSL_CERT_FILE", "/nowhere.pem", "SSL_CERT_FILE=/nowhere.pem"),
    ],
)
async def test_what_can_not_be_used_is_one_line(
    name: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ProviderRejected, match=said) as server:
        embedders(settings())
    with pytest.raises(ProviderRejected) as worker:
        async with open_models(settings()):
            pass
    assert str(server.value) == str(worker.value)
    assert "\n" not in str(server.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost.:1",
        "http://ip6-localhost:1",
        "http://127.0.0.1:1",
        "http://127.1:1",
        "http://2130706433:1",
        "http://[::ffff:127.0.0.1]:1",
    ],
)
async def test_a_local_provider_takes_no_proxy(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", SOCKS)
    monkeypatch.setenv("NO_PROXY", "[::1]")
    async with open_models(settings(url)) as models:
        assert models.answerer.provider == "cohere"
    CohereEmbedder("a-key", url)
    assert is_local(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.cohere.com",
        "http://10.0.0.1",
        "http://10.1",
        "http://127.1.example",
        "http://[::",
    ],
)
def test_other_providers_are_not_local(url: str) -> None:
    assert not is_local(url)


def test_the_proxy_that_was_not_reached_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://me:secret@127.0.0.1:9")
    with (
        open_client(httpx.Client, None, httpx.Timeout(5)) as client,
        pytest.raises(ProviderUnavailable) as raised,
        cohere_errors(),
    ):
        client.get(COHERE)
    assert str(raised.value) == (
        "No connection to Cohere through the proxy http://127.0.0.1:9 of HTTPS_PROXY "
        "(ConnectError)."
    )


@pytest.mark.parametrize("no_proxy", ["*", "cohere.com", "other, .cohere.com"])
def test_no_proxy_is_named_that_is_not_taken(
    no_proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert proxy_of(COHERE) is None
    monkeypatch.setenv("HTTPS_PROXY", "proxy.example:3128")
    assert proxy_of(COHERE) == "proxy.example:3128 of HTTPS_PROXY"
    monkeypatch.setenv("NO_PROXY", no_proxy)
    assert proxy_of(COHERE) is None


def test_a_readable_certificate_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    open_client(httpx.Client, None, httpx.Timeout(5)).close()
