"""The servers that a database's address names, in the order in which they are tried."""

from collections.abc import Mapping, Sequence
from typing import Any


class Servers:
    """Hosts and their ports, as libpq has them: tried in turn until one takes the connection."""

    def __init__(self, servers: Sequence[tuple[str, str]]) -> None:
        # Replaced as a whole.
        self._servers = servers

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> "Servers":
        """Return the servers of a connection's parameters; none if their order has to stay."""
        hosts = str(parameters.get("host", "")).split(",")
        ports = str(parameters.get("port", "")).split(",")
        if len(ports) == 1:
            ports *= len(hosts)
        has_pairs = len(hosts) == len(ports) > 1 and "hostaddr" not in parameters
        return cls(list(zip(hosts, ports, strict=True)) if has_pairs else [])

    @property
    def parameters(self) -> Mapping[str, str]:
        """Return `host` and `port`; nothing if there is one server."""
        servers = self._servers
        if not servers:
            return {}
        hosts, ports = zip(*servers, strict=True)
        return {"host": ",".join(hosts), "port": ",".join(ports)}

    def prefer(self, host: str, port: int) -> None:
        """Try the server of a connection first from now on."""
        servers = self._servers
        first = [each for each in servers if each in {(host, str(port)), (host, "")}]
        if first and servers[:1] != first[:1]:
            self._servers = [*first, *[each for each in servers if each not in first]]
