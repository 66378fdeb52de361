"""`nalanda docs`."""

import socket
import webbrowser
from contextlib import closing
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from cli.interruption import interruptible
from cli.processes.options import FIRST_PORT, LAST_PORT
from cli.processes.ports import HOST, NoFreePort, listen, port_of

SITE = Path(__file__).parents[1] / "site"
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data:; base-uri 'self'; form-action 'none'; frame-ancestors 'none'"
)
"""The theme has scripts and styles in its pages; they can load from this server alone."""


def docs(
    port: Annotated[
        int,
        typer.Option(
            help="The port, or the next free one; 0: any free port.", min=FIRST_PORT, max=LAST_PORT
        ),
    ] = 8080,
    open_browser: Annotated[bool, typer.Option("--open", help="Open it in a browser.")] = False,
) -> None:
    """Serve this documentation on this machine, until Ctrl-C."""
    if not (SITE / "index.html").is_file():
        _exit(f"{SITE} has no documentation. Build it with: make docs")
    try:
        listener = listen(port)
    except NoFreePort as error:
        _exit(str(error))
    with interruptible(), closing(listener):
        server = site_server(SITE, listener)
        url = f"http://{HOST}:{port_of(listener)}/"
        typer.echo(f"Documentation  {url}")
        if open_browser:
            webbrowser.open(url)
        server.serve_forever()


def site_server(site: Path, listener: socket.socket) -> ThreadingHTTPServer:
    """Return a server of the files in `site` that accepts from `listener`."""
    pages = partial(_Pages, directory=site)
    server = ThreadingHTTPServer(listener.getsockname(), pages, bind_and_activate=False)
    server.socket.close()
    server.socket = listener
    return server


class _Pages(SimpleHTTPRequestHandler):
    """The files of the site."""

    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", _POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """Leave the terminal quiet."""


def _exit(line: str) -> NoReturn:
    typer.echo(f"nalanda: {line}", err=True)
    raise typer.Exit(1)
