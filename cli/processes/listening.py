"""The socket of `nalanda serve`: bound by address, or inherited from another process."""

import errno
import os
import socket
from typing import Any

from cli.processes.ports import BACKLOG
from core.domain.hosts import is_loopback


class CannotListen(Exception):
    """An address that cannot be listened on; the message has the cause and the remedy."""


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that is bound but not yet listening.

    Clients that come before the app is ready are refused, not queued.

    Raises:
        CannotListen: the address is not this machine's, or the port is unavailable.
    """
    family, address = _resolved(host.removeprefix("[").removesuffix("]"), port)
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise CannotListen(_why(error, host, port)) from error
    return listener


def listen(listener: socket.socket, host: str, port: int) -> None:
    """Let clients connect.

    Raises:
        CannotListen: another process has bound the port and listens.
    """
    try:
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise CannotListen(_why(error, host, port)) from error


def inherit(descriptor: int) -> socket.socket:
    """Return the listening socket that the parent process left open as `descriptor`.

    Raises:
        CannotListen: the descriptor is not a listening socket.
    """
    try:
        listener = socket.socket(fileno=descriptor)
        listening = listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError as error:
        raise CannotListen(f"--fd {descriptor} is not a socket: {error.strerror}.") from error
    if not listening:
        listener.close()
        raise CannotListen(f"--fd {descriptor} is a socket that is not listening.")
    os.set_inheritable(descriptor, False)
    return listener


def url_of(listener: socket.socket) -> str:
    """Return the URL of the socket's address."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def local_url_of(listener: socket.socket) -> str:
    """Return the socket's URL for clients of this machine."""
    return url_of(listener).replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")


def advertised_url_of(listener: socket.socket) -> str:
    """Return the socket's URL for clients of other machines, by name if it is bound to all."""
    name = socket.gethostname()
    return url_of(listener).replace("//0.0.0.0:", f"//{name}:").replace("//[::]:", f"//{name}:")


def check_exposure(listener: socket.socket, *, has_keys: bool, insecure: bool) -> None:
    """Refuse connections from other machines without API keys, unless `insecure`.

    Raises:
        CannotListen: the socket is bound to other than loopback addresses.
    """
    host = listener.getsockname()[0]
    if has_keys or insecure or is_loopback(host):
        return
    listener.close()
    raise CannotListen(
        f"On {host} other machines could read and write everything, because NALANDA_API_KEYS is "
        "not set. Set it, listen on 127.0.0.1, or allow this with --insecure."
    )


def hosts_of(listener: socket.socket, host: str) -> tuple[str, ...]:
    """Return the socket's address and the requested host."""
    return (listener.getsockname()[0], host)


def _resolved(host: str, port: int) -> tuple[int, Any]:
    """Return the family and the address to bind; of several addresses, prefer IPv4."""
    try:
        if not host:
            raise CannotListen("--host is empty. Give an address, such as 127.0.0.1 or ::1.")
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a host name"
        raise CannotListen(
            f"{host} has no address ({reason}). Choose an address of this machine with --host, "
            "such as 127.0.0.1 or ::1."
        ) from error
    family, _, _, _, address = min(addresses, key=lambda each: each[0] != socket.AF_INET)
    return family, address


def _why(error: OSError, host: str, port: int) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"Port {port} of {host} is in use. Choose another with --port."
        case errno.EADDRNOTAVAIL | errno.EAFNOSUPPORT:
            return (
                f"{host} is not an address of this machine. Choose one with --host, such as "
                "127.0.0.1, or 0.0.0.0 for all."
            )
        case errno.EACCES:
            return (
                f"Port {port} of {host} requires more privileges. Choose a port from 1024 "
                "on with --port."
            )
        case _:
            reason = f"Port {port} of {host} is unavailable: {error.strerror}."
            return f"{reason} Choose another with --port."
