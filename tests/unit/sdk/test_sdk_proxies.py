"""Proxies of the environment: none for this machine's servers, a clear error for invalid ones."""

import sys
from pathlib import Path

import pytest

from nalanda import InvalidCertificates, InvalidProxy, Nalanda
from nalanda._proxies import is_local, is_plain_and_local, proxy_of

SOCKS = "socks5://127.0.0.1:1080"
LOCAL = [
    "http://localhost:8000",
    "http://LocalHost",
    "http://localhost.:8000",
    "http://api.localhost.",
    "http://localhost.localdomain",
    "http://ip6-localhost",
    "http://127.0.0.1:8000",
    "http://127.0.0.1.:8000",
    "http://127.8.9.1",
    "http://127.1:8000",
    "http://2130706433",
    "http://0x7f.1",
    "http://0.0.0.0:8000",
    "http://[::1]:8000",
    "http://[0:0:0:0:0:0:0:1]",
    "http://[::ffff:127.0.0.1]:8000",
    "http://[::ffff:7f00:1]",
    "http://[::]:8000",
]
REMOTE = "http://nalanda.example:8000"


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"):
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(variable.lower(), raising=False)
    for variable in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(variable, raising=False)


@pytest.mark.parametrize("url", LOCAL)
def test_a_local_server_takes_no_proxy(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", SOCKS)
    monkeypatch.setenv("NO_PROXY", "[::1]")
    Nalanda(url).close()
    assert is_local(url)


@pytest.mark.parametrize(
    "url",
    [
        REMOTE,
        "http://10.0.0.1",
        "http://10.1",
        "http://localhost.example",
        "http://127.0.0.1.example",
        "http://[::ffff:10.0.0.1]",
        "http://[::2]",
        "http://128.1",
        "http://[::",
    ],
)
def test_other_servers_are_not_local(url: str) -> None:
    assert not is_local(url)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ALL_PROXY", SOCKS, r"httpx\[socks\]"),
        ("ALL_PROXY", "ftp://proxy.example", "ALL_PROXY"),
        ("HTTP_PROXY", "http://[::", "HTTP_PROXY"),
        ("NO_PROXY", "[::1]", r"NO_PROXY has the entry \[::1\], .* write ::1\."),
        ("NO_PROXY", "example.org, [fe80::1]", r"write fe80::1\."),
    ],
)
def test_an_unusable_proxy_is_named(
    name: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "socksio", None)  # the package for SOCKS, if installed
    monkeypatch.setenv(name, value)
    with pytest.raises(InvalidProxy, match=said):
        Nalanda(REMOTE)


@pytest.mark.parametrize(
    ("url", "expected"),
    [("http://localhost:1", True), ("https://localhost:1", False), (REMOTE, False)],
)
def test_only_a_local_server_without_tls_needs_no_certificates(url: str, expected: bool) -> None:
    assert is_plain_and_local(url) is expected


def test_certificates_that_can_not_be_read_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for file in (tmp_path / "missing.pem", tmp_path):
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        with pytest.raises(InvalidCertificates, match=f"SSL_CERT_FILE={file}"):
            Nalanda(REMOTE)
    (tmp_path / "empty.pem").write_text("nothing")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "empty.pem"))
    with pytest.raises(InvalidCertificates, match="SSL_CERT_FILE"):
        Nalanda(REMOTE)


@pytest.mark.parametrize(
    ("environment", "url", "expected"),
    [
        ({}, REMOTE, "None"),
        ({"HTTP_PROXY": "http://p:1"}, REMOTE, "the proxy http://p:1 of HTTP_PROXY"),
        ({"http_proxy": "p:1"}, REMOTE, "the proxy http://p:1 of http_proxy"),
        ({"HTTPS_PROXY": "http://p:1"}, REMOTE, "None"),
        ({"HTTPS_PROXY": "http://p:1"}, "https://a.b", "the proxy http://p:1 of HTTPS_PROXY"),
        ({"ALL_PROXY": "socks5://p:1"}, REMOTE, "the proxy socks5://p:1 of ALL_PROXY"),
        (
            {"ALL_PROXY": "http://all:1", "HTTP_PROXY": "http://me:secret@p:1"},
            REMOTE,
            "the proxy http://p:1 of HTTP_PROXY",
        ),
        ({"HTTP_PROXY": "http://p:1", "NO_PROXY": "example"}, REMOTE, "None"),
        ({"HTTP_PROXY": "http://p:1", "NO_PROXY": "other, nalanda.example"}, REMOTE, "None"),
        ({"HTTP_PROXY": "http://p:1", "NO_PROXY": "*"}, REMOTE, "None"),
        ({"HTTP_PROXY": "http://p:1"}, "http://localhost.", "None"),
    ],
)
def test_the_proxy_of_a_server(
    environment: dict[str, str], url: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert str(proxy_of(url)) == expected
