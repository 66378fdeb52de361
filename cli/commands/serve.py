"""`nalanda serve` and `nalanda worker`: each one process, for separate machines."""

import gc
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import Annotated, TypeVar

import typer

from cli.processes import listening
from cli.processes.announcement import announce
from cli.processes.listening import CannotListen
from cli.processes.lock import InUse
from cli.processes.options import DataDir
from core.bootstrap import open_core
from core.indexing.maintenance.kernel_warmup import Warmup
from core.settings import Settings

T = TypeVar("T")
_SWITCH_S = 0.0001
_YOUNG, _OLDER, _OLD = 20_000, 20, 50
"""Thresholds of the garbage collector, which stops all threads. High, because reference counting
frees nearly every object of the server."""


def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(help="The port to listen on; 0: any free port.", min=0, max=65535)
    ] = 8000,
    fd: Annotated[
        int | None,
        typer.Option(
            help="Descriptor of a listening socket from the parent process, instead.", min=0
        ),
    ] = None,
    data: DataDir = None,
    insecure: Annotated[
        bool,
        typer.Option(
            "--insecure", help="Allow other machines to connect without NALANDA_API_KEYS."
        ),
    ] = False,
) -> None:
    """Run the API alone."""
    # Objects of the start stay alive: repeated garbage collection would take longer than their
    # creation, and would stop all threads.
    gc.disable()
    # Imported here, because the worker's process does not need them.
    from api.main import create_app
    from api.server.http_server import server

    # A computing thread yields the GIL to one that responds sooner than the default 5 ms.
    sys.setswitchinterval(_SWITCH_S)
    settings = Settings() if data is None else Settings(data_dir=data)
    listener = _socket(host, port, fd)
    _run_or_exit(
        lambda: listening.check_exposure(
            listener, has_keys=bool(settings.api_keys), insecure=insecure
        )
    )
    core = open_core(settings)  # report damaged data before the server starts
    threading.Thread(target=_freeze_objects, args=(core.warmup,), daemon=True).start()
    with ExitStack() as held:
        if fd is None:
            _run_or_exit(lambda: listening.listen(listener, host, port))
            url = listening.local_url_of(listener)
            _run_or_exit(lambda: held.enter_context(announce(settings.data_dir, url)))
        typer.echo(f"Nalanda listens on {listening.url_of(listener)}")
        hosts = listening.hosts_of(listener, host)
        app = create_app(settings, core_factory=lambda _: core, bound=hosts)
        server(app, settings).run(sockets=[listener])


def _freeze_objects(warmup: Warmup) -> None:
    """Exclude the objects of the start, and later those of the kernels, from garbage collection."""
    gc.freeze()
    gc.set_threshold(_YOUNG, _OLDER, _OLD)
    gc.enable()
    warmup.wait(threading.TIMEOUT_MAX)
    gc.freeze()


def worker() -> None:
    """Run a worker alone: it processes the questions of the task queue."""
    # Imported here, because the API's process does not need these modules.
    from worker.main import main

    main()


def _socket(host: str, port: int, descriptor: int | None) -> socket.socket:
    if descriptor is None:
        return _run_or_exit(lambda: listening.bind(host, port))
    return _run_or_exit(lambda: listening.inherit(descriptor))


def _run_or_exit(step: Callable[[], T]) -> T:
    """Run a step of the start, and print its error.

    Raises:
        typer.Exit: the server cannot listen.
    """
    try:
        return step()
    except (CannotListen, InUse) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
