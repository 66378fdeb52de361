"""Keeps a few child processes running: in order, healthy, started again, stopped in reverse."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, TypeVar

from cli.processes.backoff import Backoff
from cli.processes.child import Child, Service, StartFailed
from cli.processes.logs import LogFile
from cli.processes.ports import is_free

T = TypeVar("T")
What = Literal["starting", "ready", "died", "back", "stopping", "stopped", "killed"]


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened to a service: what, in words, and its last lines if it went wrong."""

    service: Service
    what: What
    detail: str = ""
    tail: tuple[str, ...] = ()


class ServiceFailed(Exception):
    """A service could not be started, or died too often."""

    def __init__(self, name: str, why: str, tail: Sequence[str]) -> None:
        super().__init__(f"{name} {why}")
        self.tail = tuple(tail)


class PortTaken(ServiceFailed):
    """A service could not be started, and another process has a port that it was to bind."""


class Supervisor:
    """Runs services around a piece of work.

    Each starts once the one before it is healthy. One that dies later is started again after a
    wait, while the others and the work go on. SIGINT, SIGTERM and SIGHUP end the work; a second
    one while the services stop kills them.
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
        """The work's result, or None if a signal ended it; no child is left in either case.

        Raises:
            ServiceFailed: a service did not start (PortTaken: for a port), or died too often.
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
            except ExceptionGroup as group:  # from the task group; the first is the cause
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
            kind = PortTaken if _taken(child.service) else ServiceFailed
            raise kind(child.service.name, f"{error}{_taken(child.service)}", child.tail) from None
        self._report(Event(child.service, "ready"))

    async def _keep(self, child: Child) -> None:
        backoff = self._backoff()
        clock = asyncio.get_running_loop().time
        while True:
            started = clock()
            why = f"died ({await child.ended()})"
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
        why = f"{why} too often{_taken(child.service)}"
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


def _taken(service: Service) -> str:
    """Name the first of the ports of a service that has ended which another process has."""
    port = next((port for port in service.ports if not is_free(port)), None)
    return "" if port is None else f"; another process has port {port}"
