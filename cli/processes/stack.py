"""What one terminal runs: a Temporal server (unless one is given), the API, a worker."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cli import temporal_server
from cli.processes import health, lock
from cli.processes.child import Service
from cli.processes.ports import HOST, first_free
from core.settings import Settings

TEMPORAL_PORT = 7233
TEMPORAL_UI_PORT = 8233
STOP_MARGIN_S = 5.0


@dataclass(frozen=True, slots=True)
class Stack:
    """The services in the order in which they start, and where to find them."""

    services: tuple[Service, ...]
    settings: Settings
    """As the services see them: with the ports that were free."""
    log: Path


def plan(settings: Settings, *, port: int, notice: Callable[[str], None]) -> Stack:
    """Takes ports and, for a server of its own, the data directory's Temporal file.

    Raises:
        NoFreePort, InUse, TemporalNotFound: it can't be run here.
    """
    settings = settings.model_copy(update={"data_dir": settings.data_dir.absolute()})
    services = []
    if "temporal_address" not in settings.model_fields_set:
        settings, service = _local_temporal(settings, notice)
        services.append(service)
    api_port = choose_port(port, notice)
    settings = settings.model_copy(update={"api_url": f"http://{HOST}:{api_port}"})
    services += [_api(settings, api_port), _worker(settings)]
    return Stack(tuple(services), settings, settings.data_dir / "logs" / "nalanda.log")


def choose_port(wanted: int, notice: Callable[[str], None], promised: tuple[int, ...] = ()) -> int:
    """`wanted` or the next free one; says so when it is another."""
    port = first_free(wanted, promised=promised)
    if port != wanted:
        notice(f"Port {wanted} is taken, using {port}.")
    return port


def _local_temporal(settings: Settings, notice: Callable[[str], None]) -> tuple[Settings, Service]:
    lock.acquire(settings.data_dir)
    port = choose_port(TEMPORAL_PORT, notice)
    ui_port = choose_port(TEMPORAL_UI_PORT, notice, promised=(port,))
    address, ui_url = f"{HOST}:{port}", f"http://{HOST}:{ui_port}"
    namespace = settings.temporal_namespace
    command = temporal_server.command(
        port=port,
        ui_port=ui_port,
        file=temporal_server.file_in(settings.data_dir),
        namespace=namespace,
    )
    service = Service(
        "temporal", tuple(command), health.temporal(address, namespace), address=address
    )
    update = {"temporal_address": address, "temporal_ui_url": ui_url}
    return settings.model_copy(update=update), service


def _api(settings: Settings, port: int) -> Service:
    return Service(
        "api",
        _nalanda("serve", "--host", HOST, "--port", str(port)),
        health.api(settings.api_url),
        _environment(settings),
        address=settings.api_url,
        grace_s=settings.drain_s + STOP_MARGIN_S,
    )


def _worker(settings: Settings) -> Service:
    return Service(
        "worker",
        _nalanda("worker"),
        health.worker,
        _environment(settings),
        address=f"task queue {settings.task_queue}",
        grace_s=settings.drain_s + STOP_MARGIN_S,
    )


def _nalanda(*arguments: str) -> tuple[str, ...]:
    # -P: no folder of the working directory stands in for one of ours.
    return (sys.executable, "-P", "-m", "cli", *arguments)


def _environment(settings: Settings) -> dict[str, str]:
    """What the services can't find out by themselves; the rest they read as this process did."""
    return {
        "NALANDA_DATA_DIR": str(settings.data_dir),
        "NALANDA_TEMPORAL_ADDRESS": settings.temporal_address,
        "NALANDA_TEMPORAL_UI_URL": settings.temporal_ui_url or "",
        "NALANDA_API_URL": settings.api_url,
        "PYTHONUNBUFFERED": "1",
    }
