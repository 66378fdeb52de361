"""`nalanda serve` and `nalanda worker`: one process each, for a machine of its own."""

import errno
import gc
import socket
import sys
import threading
from typing import Annotated

import typer

from cli.processes.options import DataDir
from core.bootstrap import open_core
from core.indexing.warming import Warmup
from core.settings import Settings

_SWITCH_S = 0.0001
_YOUNG, _OLDER, _OLD = 20_000, 20, 50
"""After so many new objects there is a search for garbage, which stops all threads: what is made
here is given back without, nearly all of it."""


def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on.")] = 8000,
    data: DataDir = None,
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
    listener = _bound(host, port)
    core = open_core(settings)  # what is wrong with the data is said before there is a server
    threading.Thread(target=_keep, args=(core.warmup,), daemon=True).start()
    typer.echo(f"Nalanda listens on http://{host}:{listener.getsockname()[1]}")
    server(create_app(settings, opened=lambda _: core), settings).run(sockets=[listener])


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


def _bound(host: str, port: int) -> socket.socket:
    """Bound, but not listening: whoever comes before the app is ready is refused, and not kept.

    Raises:
        typer.Exit: nothing can listen there, and the terminal says why.
    """
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        why = "is taken" if error.errno == errno.EADDRINUSE else f"can't be had: {error.strerror}"
        typer.echo(f"Port {port} of {host} {why}. Choose another with --port.", err=True)
        raise typer.Exit(1) from None
    return listener
