"""Nalanda's processes, as `nalanda up` starts them, for a measurement."""

import tempfile
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

from cli.processes import ports, stack
from cli.processes.stack import Stack
from cli.processes.supervision.child import Service
from cli.processes.supervision.logs import LogFile
from cli.processes.supervision.supervisor import ServiceFailed, Supervisor
from core.settings import Settings

API_PORT = 28000
ENVIRONMENT = {"NALANDA_PROVIDER": "local", "NALANDA_API_KEYS": ""}


async def run_measurement(
    measure: Callable[[Stack], Awaitable[None]],
    *,
    only: Sequence[str] = ("temporal", "api", "worker"),
    others: Callable[[Stack], Sequence[Service]] = lambda _: (),
) -> None:
    """Run `measure` while the services in `only`, and the additional ones, are up.

    Their files are in a temporary folder, and they ignore settings of the user that would change
    the server.
    """
    with tempfile.TemporaryDirectory() as folder, ExitStack() as held:
        settings = Settings.model_construct(data_dir=Path(folder))
        listener = held.enter_context(ports.listen(API_PORT))
        planned = stack.plan(settings, listener=listener, notice=lambda _: None)
        services = [
            replace(service, environment={**service.environment, **ENVIRONMENT})
            for service in planned.services
            if service.name in only
        ]
        with closing(LogFile(planned.log)) as log:
            supervisor = Supervisor([*services, *others(planned)], log, lambda _: None)
            try:
                await supervisor.run(lambda: measure(planned))
            except ServiceFailed as error:
                error.add_note("\n".join(error.tail))
                raise
