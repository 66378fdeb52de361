"""Hosts: which values of HTTP's `Host` header a server answers to."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._~-]+)(?::([0-9]{1,5})?)?")
_LOCALHOST = "localhost"
_ANY = "*"
_DEFAULT_PORTS = (80, 443)
_WILDCARDS = frozenset({"0.0.0.0", "::"})  # noqa: S104  # compared, not bound


@dataclass(frozen=True, slots=True)
class Host:
    """A host name or address in lower case, without brackets, and the port given with it."""

    name: str
    port: int | None = None

    @property
    def is_local(self) -> bool:
        """Return whether the host is `localhost` or a loopback address."""
        return self.name == _LOCALHOST or is_loopback(self.name)


def parse(value: str) -> Host | None:
    """Return the host of a `Host` header, or `None` where the value is no host (RFC 9110, 7.2)."""
    matched = _HOST.fullmatch(value)
    if matched is None:
        return None
    name, port = matched[1], int(matched[2]) if matched[2] else None
    if port is not None and port > 65535:
        return None
    if not name.startswith("["):
        return Host(_canonical(name), port)
    try:
        return Host(str(IPv6Address(name[1:-1])), port)
    except ValueError:
        return None


def is_loopback(name: str) -> bool:
    """Return whether a name is an address of 127.0.0.0/8 or ::1; IPv6 may carry an IPv4 address."""
    address = _address_of(name)
    if address is None:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


def _address_of(name: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(name)
    except ValueError:
        return None


def host_rule(text: str) -> Host:
    """Return the host or pattern of one entry of `NALANDA_ALLOWED_HOSTS`.

    Raises:
        ValueError: the text is neither.
    """
    bracketed = f"[{text}]" if text.count(":") > 1 and not text.startswith("[") else text
    if text == _ANY:
        return Host(_ANY)
    pattern = bracketed.removeprefix("*") if bracketed.startswith("*.") else bracketed
    rule = parse(pattern)
    if rule is None or not rule.name.strip("."):
        raise ValueError(
            f"{text!r} is no host. Write hosts as in db.example.org, db.example.org:8000, "
            ".example.org (with all below it), 192.0.2.7 or *, with commas between them"
        )
    return rule


class Hosts:
    """The hosts that a server answers to: its own machine's, those it is bound to, and a list.

    A server on all addresses answers to any address: DNS rebinding needs a name.

    Args:
        allowed: The entries of `NALANDA_ALLOWED_HOSTS`.
        bound: The names and addresses that the server listens on.

    Raises:
        ValueError: an entry is no host.
    """

    def __init__(self, allowed: Iterable[str], bound: Iterable[str] = ()) -> None:
        self._rules = [host_rule(text) for text in allowed]
        self._bound = frozenset(_canonical(name) for name in bound)
        self._is_on_all_addresses = not self._bound.isdisjoint(_WILDCARDS)

    def serve(self, host: Host) -> bool:
        """Return whether the server answers to a host; the port matters where an entry has one."""
        if host.is_local or host.name in self._bound:
            return True
        if self._is_on_all_addresses and _address_of(host.name) is not None:
            return True
        return any(_matches(rule, host) for rule in self._rules)


def _matches(rule: Host, host: Host) -> bool:
    if rule.name == _ANY:
        return True
    # A host without a port means the scheme's, which may be known to a proxy alone.
    ports = _DEFAULT_PORTS if host.port is None else (host.port,)
    if rule.port is not None and rule.port not in ports:
        return False
    if rule.name.startswith("."):
        return host.name == rule.name[1:] or host.name.endswith(rule.name)
    return host.name == rule.name


def _canonical(name: str) -> str:
    """Return a name in lower case and without the dot of the root, an address in its short form."""
    name = name.strip("[]").partition("%")[0]
    address = _address_of(name)
    return name.lower().removesuffix(".") if address is None else str(address)
