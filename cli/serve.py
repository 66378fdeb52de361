"""`nalanda serve` and `nalanda worker`: one process each, for a machine of its own."""

import gc
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import Annotated, TypeVar

import typer

from cli.processes import listening
from cli.processes.announcement import announced
from cli.processes.listening import CannotListen
from cli.processes.lock import InUse
from cli.processes.options import DataDir
from core.bootstrap import open_core
from core.indexing.maintenance.kernel_warmup import Warmup
from core.settings import Settings

T = TypeVar("T")
_SWITCH_S = 0.0001
_YOUNG, _OLDER, _OLD = 20_000, 20, 50
"""After so many new objects there is a search for garbage, which stops all threads: what is made
here is given back without, nearly all of it."""


def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(help="The port to listen on; 0: any.", min=0, max=65535)
    ] = 8000,
    fd: Annotated[
        int | None,
        typer.Option(
            help="Instead: a socket that listens, left open by the parent process.", min=0
        ),
    ] = None,
    data: DataDir = None,
    insecure: Annotated[
        bool,
        typer.Option(
            "--insecure", help="Listen where other machines reach it, without NALANDA_API_KEYS."
        ),
    ] = False,
) -> None:
    """Run the API alone."""
    # What comes up stays: to look through it for garbage, again and again, takes longer than
    # to make most of it, and all threads would wait.
    gc.disable()
    # Here, because the worker's process has no use for them.
    from api.main import create_app
    from api.server import server

    # A thread that computes lets one that answers go first soon, not after five milliseconds.
    sys.setswitchinterval(_SWITCH_S)
    settings = Settings() if data is None else Settings(data_dir=data)
    listener = _socket(host, port, fd)
    _or_end(
        lambda: listening.check_exposure(
            listener, has_keys=bool(settings.api_keys), insecure=insecure
        )
    )
    core = open_core(settings)  # what is wrong with the data is said before there is a server
    threading.Thread(target=_keep, args=(core.warmup,), daemon=True).start()
    with ExitStack() as held:
        if fd is None:
            _or_end(lambda: listening.listen(listener, host, port))
            url = listening.local_url_of(listener)
            _or_end(lambda: held.enter_context(announced(settings.data_dir, url)))
        typer.echo(f"Nalanda listens on {listening.url_of(listener)}")
        app = create_app(settings, opened=lambda _: core, bound=listening.hosts_of(listener, host))
        server(app, settings).run(sockets=[listener])


def _keep(warmup: Warmup) -> None:
    """Leaves out of every later search for garbage what is there now, and once kernels are."""
    gc.freeze()
    gc.set_threshold(_YOUNG, _OLDER, _OLD)
    gc.enable()
    warmup.wait(threading.TIMEOUT_MAX)
    gc.freeze()


def worker() -> None:
    """Run a worker alone: it answers the questions that wait on the task queue."""
    # Here, because the API's process has no use for what it imports.
    from worker.main import main

    main()


def _socket(host: str, port: int, descriptor: int | None) -> socket.socket:
    if descriptor is None:
        return _or_end(lambda: listening.bound(host, port))
    return _or_end(lambda: listening.passed_on(descriptor))


def _or_end(step: Callable[[], T]) -> T:
    """Raises: typer.Exit: nothing can listen there, and the terminal says why."""
    try:
        return step()
    except (CannotListen, InUse) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
