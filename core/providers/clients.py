"""HTTP clients of providers, with the environment's proxies and certificates."""

import os
import socket
from ipaddress import IPv6Address, ip_address
from typing import TypeVar
from urllib.request import getproxies, proxy_bypass

import httpx

from core.domain.errors import ProviderRejected
from core.providers.calls import event_hooks

C = TypeVar("C", httpx.Client, httpx.AsyncClient)

_VARIABLES = "HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY"
_LOCAL_NAMES = {"localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback"}
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")


def open_client(kind: type[C], url: str | None, timeout: httpx.Timeout) -> C:
    """Open a client of a provider at a URL, its public one if there is none.

    Raises:
        ProviderRejected: the environment's proxies or certificates can't be used.
    """
    try:
        return kind(
            timeout=timeout,
            trust_env=url is None or not is_local(url),
            event_hooks=event_hooks(kind),
        )
    except (ImportError, ValueError, OSError, httpx.InvalidURL) as error:
        raise ProviderRejected(_fault(error)) from None


def is_local(url: str) -> bool:
    """Return whether a URL is of this machine, which a proxy can't reach."""
    try:
        host = httpx.URL(url).host.removesuffix(".")
    except httpx.InvalidURL:
        return False  # the call itself reports the error
    if host in _LOCAL_NAMES or host.endswith(".localhost"):
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return _is_short_loopback(host)
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address
    return address.is_loopback or address.is_unspecified


def _is_short_loopback(host: str) -> bool:
    """Return whether a host is loopback in a form that only resolvers accept, such as `127.1`."""
    if not host[:1].isdigit():
        return False
    try:
        return socket.inet_aton(host)[0] in {0, 127}
    except (OSError, ValueError):
        return False


def proxy_of(url: httpx.URL) -> str | None:
    """Return the environment's proxy for a URL, without credentials, and the variable's name."""
    proxies = getproxies()
    scheme = next((scheme for scheme in (url.scheme, "all") if proxies.get(scheme)), None)
    if scheme is None or is_local(str(url)) or proxy_bypass(url.netloc.decode("ascii")):
        return None
    before, separator, address = proxies[scheme].rpartition("://")
    names = (f"{scheme}_proxy", f"{scheme}_proxy".upper())
    variable = next((name for name in names if os.environ.get(name)), "the system's settings")
    return f"{before}{separator}{address.rpartition('@')[2]} of {variable}"


def _fault(error: Exception) -> str:
    """Return the user's message for an environment with which httpx can't make a client."""
    if isinstance(error, ImportError):
        return (
            "The proxy in the environment is a SOCKS proxy, which needs an extra package: "
            "pip install 'httpx[socks]'."
        )
    if isinstance(error, OSError):
        files = [f"{name}={os.environ[name]}" for name in _CERTIFICATES if name in os.environ]
        return f"The certificates ({' '.join(files) or 'the system'}) can't be read: {error}."
    entries = [entry.strip() for entry in getproxies().get("no", "").split(",")]
    bracketed = next((entry for entry in entries if entry.startswith("[")), None)
    if isinstance(error, httpx.InvalidURL) and bracketed:
        plain = bracketed.strip("[]")
        return f"NO_PROXY has the entry {bracketed}, which httpx can't read: write {plain}."
    return f"The proxy in the environment ({_VARIABLES}) can't be used: {error}"
