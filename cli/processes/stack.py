"""The services of one terminal: Temporal (unless the settings name a server), API and worker."""

import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cli import temporal_server
from cli.processes.ports import HOST, first_free, port_of
from cli.processes.supervision import health
from cli.processes.supervision.child import Service
from core.settings import Settings

TEMPORAL_PORT = 7233
TEMPORAL_UI_PORT = 8233
STOP_MARGIN_S = 5.0
TEMPORAL_GRACE_S = 30.0
"""Timeout of a graceful stop, which takes 4 s on an idle machine."""
_OWN_QUEUE = "of this instance"


@dataclass(frozen=True, slots=True)
class Stack:
    """The services in starting order, and their addresses."""

    services: tuple[Service, ...]
    settings: Settings
    """The services' settings, with the chosen ports."""
    log: Path


def plan(settings: Settings, *, listener: socket.socket, notice: Callable[[str], None]) -> Stack:
    """Plan an API that accepts from `listener`, and choose the ports of a Temporal server.

    Raises:
        NoFreePort: no port is free.
        TemporalNotFound: no Temporal binary was found.
    """
    settings = settings.model_copy(update={"data_dir": settings.data_dir.absolute()})
    services = []
    if starts_temporal(settings):
        settings, service = local_temporal(settings, notice)
        services.append(service)
    settings = settings.model_copy(update={"api_url": url_of(listener)})
    services += [_api(settings, listener), _worker(settings)]
    return Stack(tuple(services), settings, log_of(settings))


def url_of(listener: socket.socket) -> str:
    return f"http://{HOST}:{port_of(listener)}"


def starts_temporal(settings: Settings) -> bool:
    """Return whether the settings name no Temporal server."""
    return "temporal_address" not in settings.model_fields_set


def log_of(settings: Settings) -> Path:
    """Return the log file of the services."""
    return settings.data_dir.absolute() / "logs" / "nalanda.log"


def choose_port(wanted: int, notice: Callable[[str], None], promised: tuple[int, ...] = ()) -> int:
    """Return `wanted` or the next free port, with a notice if it is another."""
    port = first_free(wanted, promised=promised)
    report_port(wanted, port, notice)
    return port


def report_port(wanted: int, port: int, notice: Callable[[str], None]) -> None:
    if port != wanted and wanted:
        notice(f"Port {wanted} is in use; using {port}.")


def local_temporal(
    settings: Settings,
    notice: Callable[[str], None],
    *,
    port: int = TEMPORAL_PORT,
    ui_port: int = TEMPORAL_UI_PORT,
) -> tuple[Settings, Service]:
    """Return the settings with the server's addresses, and the server; choose its ports now.

    Raises:
        NoFreePort: no port is free.
        TemporalNotFound: no Temporal binary was found.
    """
    port = choose_port(port, notice)
    ui_port = choose_port(ui_port, notice, promised=(port,))
    address, ui_url = f"{HOST}:{port}", f"http://{HOST}:{ui_port}"
    namespace = settings.temporal_namespace
    command = temporal_server.command(
        port=port,
        ui_port=ui_port,
        file=temporal_server.file_in(settings.data_dir),
        namespace=namespace,
    )
    service = Service(
        "temporal",
        tuple(command),
        health.temporal(address, namespace),
        address=address,
        grace_s=TEMPORAL_GRACE_S,
        ports=(port, ui_port),
    )
    update = {"temporal_address": address, "temporal_ui_url": ui_url}
    return settings.model_copy(update=update), service


def _api(settings: Settings, listener: socket.socket) -> Service:
    descriptor = listener.fileno()
    return Service(
        "api",
        _nalanda("serve", "--fd", str(descriptor)),
        health.api(settings.api_url),
        _environment(settings),
        address=settings.api_url,
        grace_s=settings.drain_s + STOP_MARGIN_S,
        listeners=(descriptor,),
    )


def _worker(settings: Settings) -> Service:
    return Service(
        "worker",
        _nalanda("worker"),
        health.worker,
        _environment(settings),
        address=f"task queue {settings.task_queue or _OWN_QUEUE}",
        grace_s=settings.drain_s + STOP_MARGIN_S,
    )


def _nalanda(*arguments: str) -> tuple[str, ...]:
    # -P: keeps the working directory's folders from shadowing Nalanda's packages.
    return (sys.executable, "-P", "-m", "cli", *arguments)


def _environment(settings: Settings) -> dict[str, str]:
    """Return the settings that the services cannot derive; they read the rest themselves."""
    return {
        "NALANDA_DATA_DIR": str(settings.data_dir),
        "NALANDA_TEMPORAL_ADDRESS": settings.temporal_address,
        "NALANDA_TEMPORAL_UI_URL": settings.temporal_ui_url or "",
        "NALANDA_API_URL": settings.api_url,
        "NALANDA_READERS": str(settings.readers),
        "PYTHONUNBUFFERED": "1",
    }
