"""The socket that `nalanda serve` listens on: bound by address, or passed on by another process."""

import errno
import os
import socket
from typing import Any

from cli.processes.ports import BACKLOG
from core.domain.hosts import is_loopback


class CannotListen(Exception):
    """Nothing can listen there; the text says why, and what to do."""


def bound(host: str, port: int) -> socket.socket:
    """Return a socket that is bound, and does not listen yet.

    Who comes before the app is ready is refused, and not kept.

    Raises:
        CannotListen: the address is not this machine's, or the port can't be had.
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
        CannotListen: another process, bound as well, was quicker.
    """
    try:
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise CannotListen(_why(error, host, port)) from error


def passed_on(descriptor: int) -> socket.socket:
    """Return the listening socket that the parent process has left open as `descriptor`.

    Raises:
        CannotListen: it is none.
    """
    try:
        listener = socket.socket(fileno=descriptor)
        listening = listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError as error:
        raise CannotListen(f"--fd {descriptor} is no socket: {error.strerror}.") from error
    if not listening:
        listener.close()
        raise CannotListen(f"--fd {descriptor} is a socket that does not listen.")
    os.set_inheritable(descriptor, False)
    return listener


def url_of(listener: socket.socket) -> str:
    """Return the URL of the address that the socket is bound to."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def local_url_of(listener: socket.socket) -> str:
    """Return a URL under which clients of this machine reach the socket."""
    return url_of(listener).replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")


def check_exposure(listener: socket.socket, *, has_keys: bool, insecure: bool) -> None:
    """Refuse to let other machines in without keys, unless the user says so.

    Raises:
        CannotListen: the socket is bound to more than this machine's loopback addresses.
    """
    host = listener.getsockname()[0]
    if has_keys or insecure or is_loopback(host):
        return
    listener.close()
    raise CannotListen(
        f"On {host} other machines could read and write everything, as NALANDA_API_KEYS is not "
        "set. Set it, listen on 127.0.0.1, or allow that with --insecure."
    )


def hosts_of(listener: socket.socket, host: str) -> tuple[str, ...]:
    """Return the address that the socket is bound to, and the name that was asked for."""
    return (listener.getsockname()[0], host)


def _resolved(host: str, port: int) -> tuple[int, Any]:
    """Return the family and the address to bind; where a name has several, one of IPv4."""
    try:
        if not host:
            raise CannotListen("--host is empty. Give an address, such as 127.0.0.1 or ::1.")
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a host name"
        raise CannotListen(
            f"{host} has no address ({reason}). Choose an address of this machine with --host, "
            "such as 127.0.0.1 or ::1."
        ) from error
    family, _, _, _, address = min(found, key=lambda each: each[0] != socket.AF_INET)
    return family, address


def _why(error: OSError, host: str, port: int) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"Port {port} of {host} is taken. Choose another with --port."
        case errno.EADDRNOTAVAIL | errno.EAFNOSUPPORT:
            return (
                f"{host} is no address of this machine. Choose one with --host, such as "
                "127.0.0.1, or 0.0.0.0 for all."
            )
        case errno.EACCES:
            return (
                f"Port {port} of {host} needs more rights than this process has. Choose one from "
                "1024 on with --port."
            )
        case _:
            reason = f"Port {port} of {host} can't be had: {error.strerror}."
            return f"{reason} Choose another with --port."
