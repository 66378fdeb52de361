"""Proxies of the environment: none for this machine's servers, a clear error for bad ones."""

import sys

import pytest

from nalanda import InvalidProxy, Nalanda
from nalanda._proxies import is_local

SOCKS = "socks5://127.0.0.1:1080"
LOCAL = ["http://localhost:8000", "http://127.0.0.1:8000", "http://127.8.9.1", "http://[::1]:8000"]
REMOTE = "http://nalanda.example:8000"


@pytest.mark.parametrize("url", LOCAL)
def test_a_local_server_takes_no_proxy(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", SOCKS)
    monkeypatch.setenv("NO_PROXY", "[::1]")
    Nalanda(url).close()
    assert is_local(url)


@pytest.mark.parametrize(
    "url", [REMOTE, "http://10.0.0.1", "http://localhost.example", "http://[::"]
)
def test_other_servers_are_not_local(url: str) -> None:
    assert not is_local(url)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ALL_PROXY", SOCKS, r"httpx\[socks\]"),
        ("ALL_PROXY", "ftp://proxy.example", "ALL_PROXY"),
        ("HTTP_PROXY", "http://[::", "HTTP_PROXY"),
        ("NO_PROXY", "[::1]", "NO_PROXY"),
    ],
)
def test_an_unusable_proxy_is_named(
    name: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"):
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(variable.lower(), raising=False)
    monkeypatch.setitem(sys.modules, "socksio", None)  # what SOCKS needs, where it is installed
    monkeypatch.setenv(name, value)
    with pytest.raises(InvalidProxy, match=said):
        Nalanda(REMOTE)
