"""The environment's proxy for a client, and the errors in its configuration."""

import os
import socket
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from urllib.request import getproxies, proxy_bypass

import httpx

from nalanda._errors import InvalidCertificates, InvalidProxy, NalandaError

VARIABLES = "HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY"
CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
LOCAL_NAMES = {"localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback"}


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy of the environment, without its credentials."""

    url: str
    variable: str

    def __str__(self) -> str:
        return f"the proxy {self.url} of {self.variable}"


def is_local(base_url: str) -> bool:
    """Return whether a server is on this machine, which no proxy reaches."""
    try:
        host = httpx.URL(base_url).host.removesuffix(".")
    except httpx.InvalidURL:
        return False  # reported at the client's creation
    if host in LOCAL_NAMES or host.endswith(".localhost"):
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return _is_short_loopback(host)
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address
    return address.is_loopback or address.is_unspecified


def is_plain_and_local(base_url: str) -> bool:
    """Return whether no connection uses TLS, whose certificates take 50 ms to load."""
    return is_local(base_url) and httpx.URL(base_url).scheme == "http"


def _is_short_loopback(host: str) -> bool:
    """Return whether a host is loopback in a form that only resolvers accept, such as `127.1`."""
    if not host[:1].isdigit():
        return False
    try:
        return socket.inet_aton(host)[0] in {0, 127}
    except (OSError, ValueError):
        return False


def proxy_of(base_url: str) -> Proxy | None:
    """Return the environment's proxy that httpx uses for a server."""
    url, proxies = httpx.URL(base_url), getproxies()
    scheme = next((scheme for scheme in (url.scheme, "all") if proxies.get(scheme)), None)
    if scheme is None or is_local(base_url) or proxy_bypass(url.netloc.decode("ascii")):
        return None
    return Proxy(_without_credentials(proxies[scheme]), _variable(scheme))


def creation_error(error: Exception) -> NalandaError:
    """Translate an httpx error about the environment's proxies or certificates."""
    if isinstance(error, ImportError):
        return InvalidProxy(
            "The proxy in the environment is a SOCKS proxy, which needs an extra package: "
            "pip install 'httpx[socks]'."
        )
    if isinstance(error, OSError):
        files = [f"{name}={os.environ[name]}" for name in CERTIFICATES if name in os.environ]
        where = " ".join(files) or "the system's"
        return InvalidCertificates(f"The certificates ({where}) can't be read: {error}.")
    if isinstance(error, httpx.InvalidURL) and (entry := _bracketed_entry()):
        return InvalidProxy(
            f"NO_PROXY has the entry {entry}, which httpx can't read: write {entry.strip('[]')}."
        )
    return InvalidProxy(f"The proxy in the environment ({VARIABLES}) can't be used: {error}")


def _bracketed_entry() -> str | None:
    entries = [entry.strip() for entry in getproxies().get("no", "").split(",")]
    return next((entry for entry in entries if entry.startswith("[")), None)


def _without_credentials(proxy: str) -> str:
    scheme, _, rest = proxy.rpartition("://")
    return f"{scheme or 'http'}://{rest.rpartition('@')[2]}"


def _variable(scheme: str) -> str:
    names = (f"{scheme}_proxy", f"{scheme}_proxy".upper())
    return next((name for name in names if os.environ.get(name)), "the system's settings")
