"""`nalanda serve` and `nalanda worker`: each one process, for separate machines."""

import socket
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import typer

from api.server.dealing import Dealer
from api.shared_counts import count_together
from cli.processes import listening
from cli.processes.announcement import announce
from cli.processes.listening import CannotListen
from cli.processes.lock import InUse
from cli.processes.options import DataDir, ReaderCount, present_options
from cli.processes.readers import Readers
from cli.processes.serving import freeze_objects, set_up_interpreter
from core.bootstrap import open_core, publish_positions
from core.settings import Settings
from core.tracing.exporting import start_tracing

T = TypeVar("T")

CHECKPOINT_S = 10.0
"""The longest time between two checkpoints where readers follow them."""


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
    readers: ReaderCount = None,
    role: Annotated[
        Literal["auto", "leader", "follower"] | None,
        typer.Option(
            help="Whether this node writes, or follows the one that does.",
            show_default="NALANDA_ROLE",
        ),
    ] = None,
    insecure: Annotated[
        bool,
        typer.Option(
            "--insecure", help="Allow other machines to connect without NALANDA_API_KEYS."
        ),
    ] = False,
) -> None:
    """Run the API alone."""
    set_up_interpreter()
    settings = _settings(data, readers, role)
    listener = _socket(host, port, fd)
    _run_or_exit(
        lambda: listening.check_exposure(
            listener, has_keys=bool(settings.api_keys), insecure=insecure
        )
    )
    if settings.advertise_url is None:
        address = listening.advertised_url_of(listener)
        settings = settings.model_copy(update={"advertise_url": address})
    start_tracing("nalanda-api")
    # Report damaged data before the server starts.
    core = open_core(settings)
    if settings.readers > 1:  # only the process that has the data directory
        count_together(settings.data_dir / "metrics")
    # Imported here, because the worker's process does not need them.
    from api.http.leader import leader_of
    from api.main import create_app
    from api.server.http_server import server

    freeze_objects(core.warmup)
    with ExitStack() as held:
        if fd is None:
            _run_or_exit(lambda: listening.listen(listener, host, port))
            url = listening.local_url_of(listener)
            _run_or_exit(lambda: held.enter_context(announce(settings.data_dir, url)))
        typer.echo(f"Nalanda listens on {listening.url_of(listener)}")
        hosts = listening.hosts_of(listener, host)
        leader = leader_of(core, settings)
        app = create_app(settings, core_factory=lambda _: core, bound=hosts, writer=leader)
        if settings.readers == 1:
            server(app, settings, stop_first=core.cluster.leave).run(sockets=[listener])
            return
        publish_positions(core, settings)
        of_readers = _run_or_exit(lambda: listening.bind("127.0.0.1", 0))
        _run_or_exit(lambda: listening.listen(of_readers, "127.0.0.1", 0))
        url = listening.url_of(of_readers)
        dealer = Dealer(listener)
        others = Readers(settings.readers - 1, dealer, url, hosts, settings)
        others.start()

        def stop_first() -> None:
            core.cluster.leave()
            others.stop()

        api = server(app, settings, source=dealer, stop_first=stop_first)
        api.run(sockets=[of_readers])


def _settings(data: Path | None, readers: int | None, role: str | None) -> Settings:
    settings = Settings(**present_options(data_dir=data, readers=readers, role=role))
    if settings.readers == 1:
        return settings
    # Readers search the rows since the last checkpoint one by one.
    checkpoint_s = min(settings.checkpoint_s, CHECKPOINT_S)
    return settings.model_copy(update={"checkpoint_s": checkpoint_s})


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
