"""Supervision of child processes: ordered start, health, restart, stop in reverse order."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, TypeVar

from cli.processes.ports import is_free
from cli.processes.supervision.backoff import Backoff
from cli.processes.supervision.child import Child, Service, StartFailed
from cli.processes.supervision.logs import LogFile

T = TypeVar("T")
What = Literal["starting", "ready", "died", "back", "stopping", "stopped", "killed"]


@dataclass(frozen=True, slots=True)
class Event:
    """An event of a service: its kind, a description, and the last output after a failure."""

    service: Service
    what: What
    detail: str = ""
    tail: tuple[str, ...] = ()


class ServiceFailed(Exception):
    """A service that could not start, or ended too often."""

    def __init__(self, name: str, why: str, tail: Sequence[str]) -> None:
        super().__init__(f"{name} {why}")
        self.tail = tuple(tail)


class PortTaken(ServiceFailed):
    """A service that could not start because another process has its port."""


class Supervisor:
    """A runner of services around a piece of work.

    Each service starts once its predecessor is healthy. A service that ends later starts again
    after a delay, while the others and the work continue. SIGINT, SIGTERM and SIGHUP end the work;
    a second signal during the stop kills the services.
    """

    def __init__(
        self,
        services: Sequence[Service],
        log: LogFile,
        report: Callable[[Event], None],
        backoff: Callable[[], Backoff] = Backoff,
    ) -> None:
        self._children = [Child(service, log) for service in services]
        self._report = report
        self._backoff = backoff
        self._signalled = False
        self._stopping = False

    async def run(self, work: Callable[[], Awaitable[T]]) -> T | None:
        """Return the work's result, or `None` after a signal; no child is left in either case.

        Raises:
            ServiceFailed: a service did not start, or ended too often.
            PortTaken: a service did not start for lack of its port.
        """
        task = asyncio.current_task()
        assert task is not None
        with self._signals(task):
            try:
                return await self._run(work)
            except asyncio.CancelledError:
                if not self._signalled:
                    raise
                task.uncancel()
                return None
            except ExceptionGroup as group:  # from the task group; the first error is the cause
                raise group.exceptions[0] from None
            finally:
                await self._stop()

    async def _run(self, work: Callable[[], Awaitable[T]]) -> T:
        async with asyncio.TaskGroup() as keepers:
            keeping = []
            for child in self._children:
                await self._start(child)
                keeping.append(keepers.create_task(self._keep(child)))
            result = await work()
            for task in keeping:
                task.cancel()
        return result

    async def _start(self, child: Child) -> None:
        self._report(Event(child.service, "starting"))
        try:
            await child.start()
        except StartFailed as error:
            conflict = _port_conflict(child.service)
            kind = PortTaken if conflict else ServiceFailed
            raise kind(child.service.name, f"{error}{conflict}", child.tail) from None
        self._report(Event(child.service, "ready"))

    async def _keep(self, child: Child) -> None:
        backoff = self._backoff()
        clock = asyncio.get_running_loop().time
        while True:
            started = clock()
            why = f"died ({await child.wait_for_end()})"
            await self._restart(child, why, backoff, clock() - started)
            self._report(Event(child.service, "back"))

    async def _restart(self, child: Child, why: str, backoff: Backoff, lasted_s: float) -> None:
        while (delay_s := backoff.after(lasted_s)) is not None:
            self._report(Event(child.service, "died", why, tuple(child.tail)))
            await asyncio.sleep(delay_s)
            try:
                return await child.start()
            except StartFailed as error:
                why, lasted_s = str(error), 0.0
        why = f"{why} too often{_port_conflict(child.service)}"
        raise ServiceFailed(child.service.name, why, child.tail)

    async def _stop(self) -> None:
        self._stopping = True
        for child in reversed(self._children):
            if not child.running:
                await child.stop()
                continue
            self._report(Event(child.service, "stopping"))
            gently = await child.stop()
            self._report(Event(child.service, "stopped" if gently else "killed"))

    @contextmanager
    def _signals(self, task: asyncio.Task[object]) -> Iterator[None]:
        loop = asyncio.get_running_loop()

        def on_signal() -> None:
            if self._stopping:
                for child in self._children:
                    child.kill()
            elif not self._signalled:
                self._signalled = True
                task.cancel()

        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        for number in numbers:
            loop.add_signal_handler(number, on_signal)
        try:
            yield
        finally:
            for number in numbers:
                loop.remove_signal_handler(number)


def _port_conflict(service: Service) -> str:
    """Return a phrase that names the first port of a dead service that another process has."""
    port = next((port for port in service.ports if not is_free(port)), None)
    return "" if port is None else f"; another process has port {port}"
