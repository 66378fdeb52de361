"""Places of processes: this machine, or network namespaces between which packets are dropped.

A namespace lives as long as the process that holds it, which ends with this one. A cut is a silent
one, as of a broken switch: the sender's table of neighbours has a hardware address for the target
that no interface has. So each direction can be cut alone, and no connection is refused or reset.
"""

import ctypes
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.waiting import until

CLIENTS = "clients"
"""The name of this process's own place in a network."""

_NEW_NETWORK = 0x40000000
"""`CLONE_NEWNET` of Linux."""
_BRIDGE = "nalanda0"
_INTERFACE = "eth0"
_NO_ONE = "02:00:00:00:00:01"


@dataclass(frozen=True, slots=True)
class Place:
    """An address, and the words in front of a command that is to run there."""

    name: str
    address: str = "127.0.0.1"
    prefix: tuple[str, ...] = ()


class ThisMachine:
    """Places that are all this machine, between which nothing can be cut."""

    def add(self, name: str) -> Place:
        return Place(name)


class Network:
    """Places with a network namespace and an address each, on one bridge."""

    def __init__(self) -> None:
        """Give the calling thread, and all that it starts from now on, a network of its own.

        Raises:
            PermissionError: this process may not make namespaces.
        """
        if ctypes.CDLL(None, use_errno=True).unshare(_NEW_NETWORK) != 0:
            raise PermissionError(ctypes.get_errno(), "no network namespace can be made")
        self._here = Place(CLIENTS, "10.77.0.1")
        self._holders: list[subprocess.Popen[bytes]] = []
        self._cuts: list[tuple[Place, Place]] = []
        _run("ip", "link", "set", "lo", "up")
        _run("ip", "link", "add", _BRIDGE, "type", "bridge")
        _run("ip", "address", "add", f"{self._here.address}/24", "dev", _BRIDGE)
        _run("ip", "link", "set", _BRIDGE, "up")

    @property
    def clients(self) -> Place:
        return self._here

    def add(self, name: str) -> Place:
        """Return a new place."""
        # `cat` ends when this process does, and closes its end of the pipe.
        holder = subprocess.Popen(["unshare", "--net", "cat"], stdin=subprocess.PIPE)
        until(lambda: _network_of(holder.pid) != _network_of(os.getpid()))
        self._holders.append(holder)
        number = len(self._holders)
        enter = ("nsenter", f"--target={holder.pid}", "--net")
        place = Place(name, f"10.77.0.{number + 1}", enter)
        link = f"veth{number}"
        peer = ["peer", "name", _INTERFACE, "netns", str(holder.pid)]
        _run("ip", "link", "add", link, "type", "veth", *peer)
        _run("ip", "link", "set", link, "master", _BRIDGE, "up")
        _run(*enter, "ip", "link", "set", "lo", "up")
        _run(*enter, "ip", "address", "add", f"{place.address}/24", "dev", _INTERFACE)
        _run(*enter, "ip", "link", "set", _INTERFACE, "up")
        return place

    def cut(self, source: Place, target: Place) -> None:
        """Drop what `source` sends to `target` from now on."""
        _run(*_neighbour(source, "replace", target), "lladdr", _NO_ONE, "nud", "permanent")
        self._cuts.append((source, target))

    def cut_both_ways(self, one: Place, other: Place) -> None:
        self.cut(one, other)
        self.cut(other, one)

    def restore(self) -> None:
        """Let all packets through again."""
        while self._cuts:
            source, target = self._cuts.pop()
            _run(*_neighbour(source, "del", target))

    def close(self) -> None:
        for holder in self._holders:
            holder.communicate()


def _neighbour(source: Place, action: str, target: Place) -> Sequence[str]:
    interface = _BRIDGE if source.name == CLIENTS else _INTERFACE
    return (*source.prefix, "ip", "neighbour", action, target.address, "dev", interface)


def _network_of(pid: int) -> str:
    return str(Path(f"/proc/{pid}/ns/net").readlink())


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
