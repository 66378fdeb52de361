"""A reader: a process that serves searches and reads, and passes writes on to another process.

    python -m cli.processes.reader NUMBER CHANNEL WRITER HOST...

NUMBER: which of the readers. CHANNEL: the descriptor of the socket over which it is dealt
connections. WRITER: the URL to which it passes writes on. HOST: the names and addresses that the
server listens on.
"""

import socket
import sys

from api.server.dealing import Dealt
from cli.processes.serving import freeze_objects, set_up_interpreter
from core.settings import Settings
from core.tracing.exporting import start_tracing


def main() -> None:
    set_up_interpreter()
    from api.http.forwarding import Writer
    from api.main import create_app
    from api.server.http_server import server
    from core.bootstrap import open_reader

    number, descriptor, url, *hosts = sys.argv[1:]
    settings = Settings()
    start_tracing("nalanda-api")
    source = Dealt(socket.socket(fileno=int(descriptor)))
    core = open_reader(settings, int(number))
    freeze_objects(core.warmup)
    app = create_app(settings, core_factory=lambda _: core, bound=hosts, writer=Writer(url))
    server(app, settings, source=source).run(sockets=[])


if __name__ == "__main__":
    main()
