"""Which proxy a client takes from the environment, and what is wrong with it."""

from ipaddress import ip_address

import httpx

from nalanda._errors import InvalidProxy

VARIABLES = "HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY"


def is_local(base_url: str) -> bool:
    """Return whether a server is this machine's own, which no proxy knows."""
    try:
        host = httpx.URL(base_url).host
    except httpx.InvalidURL:
        return False  # said when the client is made
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def proxy_error(error: Exception) -> InvalidProxy:
    """Translate what httpx raises for the environment's proxies."""
    if isinstance(error, ImportError):
        return InvalidProxy(
            "The proxy in the environment is a SOCKS proxy, which needs an extra package: "
            "pip install 'httpx[socks]'."
        )
    return InvalidProxy(f"The proxy in the environment ({VARIABLES}) can't be used: {error}")
