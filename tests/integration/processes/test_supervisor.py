"""The supervisor with real children."""

import asyncio
import os
import signal
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cli.processes.ports import HOST
from cli.processes.supervision.backoff import Backoff
from cli.processes.supervision.child import Child, Service
from cli.processes.supervision.logs import LogFile
from cli.processes.supervision.supervisor import PortTaken, ServiceFailed, Supervisor
from tests.integration.processes.support import (
    FOREVER,
    STUBBORN,
    Story,
    alive,
    service,
    until,
)


@pytest.fixture
def story() -> Story:
    return Story()


@pytest.fixture
def log(tmp_path: Path) -> Iterator[LogFile]:
    log = LogFile(tmp_path / "all.log")
    yield log
    log.close()


def backoff() -> Backoff:
    return Backoff(delays_s=(0.01, 0.01))


async def test_children_start_in_order_and_stop_in_reverse(
    tmp_path: Path, log: LogFile, story: Story
) -> None:
    pids = [tmp_path / "first", tmp_path / "second"]
    services = [service(path.name, path, FOREVER) for path in pids]

    async def work() -> list[bool]:
        return [alive(int(path.read_text())) for path in pids]

    assert await Supervisor(services, log, story).run(work) == [True, True]
    assert story.steps() == [
        ("first", "starting"),
        ("first", "ready"),
        ("second", "starting"),
        ("second", "ready"),
        ("second", "stopping"),
        ("second", "stopped"),
        ("first", "stopping"),
        ("first", "stopped"),
    ]
    assert not any(alive(int(path.read_text())) for path in pids)


async def test_a_child_that_dies_is_reported_and_started_again(
    tmp_path: Path, log: LogFile, story: Story
) -> None:
    pid = tmp_path / "pid"
    mortal = service("mortal", pid, "print('born')\n" + FOREVER)

    async def work() -> None:
        first = int(pid.read_text())
        os.kill(first, signal.SIGKILL)
        await until(lambda: ("mortal", "back") in story.steps())
        assert int(pid.read_text()) != first

    await Supervisor([mortal], log, story, backoff).run(work)
    died = next(event for event in story if event.what == "died")
    assert died.detail == "died (killed by SIGKILL)"
    assert died.tail == ("born",)


async def test_one_that_dies_too_often_ends_everything(
    tmp_path: Path, log: LogFile, story: Story
) -> None:
    steady = service("steady", tmp_path / "steady", FOREVER)
    dying = service("dying", tmp_path / "dying", "sys.exit('no luck')")
    dying = replace(dying, healthy=always_healthy)
    with pytest.raises(ServiceFailed, match=r"dying died \(exit status 1\) too often") as failure:
        await Supervisor([steady, dying], log, story, backoff).run(asyncio.Event().wait)
    assert failure.value.tail == ("no luck",)
    assert story.steps().count(("dying", "died")) == 2
    assert story.steps()[-1] == ("steady", "stopped")


async def always_healthy(_child: Child) -> bool:
    return True


async def test_one_that_never_gets_ready_is_not_tried_again(
    tmp_path: Path, log: LogFile, story: Story
) -> None:
    broken = service("broken", tmp_path / "never", "sys.exit('the key is wrong')")
    with pytest.raises(
        ServiceFailed, match=r"broken ended at its start \(exit status 1\)"
    ) as failure:
        await Supervisor([broken], log, story).run(asyncio.Event().wait)
    assert failure.value.tail == ("the key is wrong",)
    assert "broken   | the key is wrong" in log.path.read_text()


async def test_a_start_that_takes_too_long_is_ended(log: LogFile, story: Story) -> None:
    slow = Service("slow", ("sleep", "600"), never_healthy, start_s=0.1)
    with pytest.raises(ServiceFailed, match=r"slow was not ready after 0\.1 s"):
        await Supervisor([slow], log, story).run(asyncio.Event().wait)


async def test_a_port_that_a_stranger_answers_on_is_not_the_childs(
    tmp_path: Path, log: LogFile, story: Story
) -> None:
    with socket.create_server((HOST, 0)) as stranger:
        port = stranger.getsockname()[1]
        shy = service("shy", tmp_path / "pid", FOREVER)
        shy = replace(shy, healthy=always_healthy, ports=(port,), start_s=0.5)
        with pytest.raises(PortTaken, match=f"another process has port {port}"):
            await Supervisor([shy], log, story).run(asyncio.Event().wait)
    assert ("shy", "ready") not in story.steps()


async def test_a_command_that_is_not_there(log: LogFile, story: Story) -> None:
    missing = Service("missing", ("/nowhere/at-all",), never_healthy)
    with pytest.raises(ServiceFailed, match="ended at its start") as failure:
        await Supervisor([missing], log, story).run(asyncio.Event().wait)
    assert failure.value.tail == ("/nowhere/at-all: No such file or directory",)


async def never_healthy(_child: Child) -> bool:
    return False


async def test_a_stubborn_child_is_killed(tmp_path: Path, log: LogFile, story: Story) -> None:
    stubborn = service("stubborn", tmp_path / "pid", STUBBORN, grace_s=0.1)

    async def work() -> None:
        pass

    await Supervisor([stubborn], log, story).run(work)
    assert story.steps()[-1] == ("stubborn", "killed")
    assert not alive(int((tmp_path / "pid").read_text()))


async def test_a_childs_own_children_end_with_it(
    tmp_path: Path, log: LogFile, story: Story
) -> None:
    grandchild = tmp_path / "grandchild"
    code = (
        "import subprocess\n"
        "child = subprocess.Popen(['sleep', '600'])\n"
        f"pathlib.Path({str(grandchild)!r}).write_text(str(child.pid))\n" + FOREVER
    )

    async def work() -> int:
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
        await until(lambda: ("parent", "died") in story.steps())
        return int(grandchild.read_text())

    parent = service("parent", tmp_path / "pid", code)
    pid = await Supervisor([parent], log, story, backoff).run(work)
    assert pid is not None
    await until(lambda: not alive(pid))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_a_signal_ends_the_work_and_the_children(
    number: signal.Signals, tmp_path: Path, log: LogFile, story: Story
) -> None:
    async def work() -> str:
        os.kill(os.getpid(), number)
        await asyncio.Event().wait()
        return "never"

    child = service("child", tmp_path / "pid", FOREVER)
    assert await Supervisor([child], log, story).run(work) is None
    assert story.steps()[-1] == ("child", "stopped")


async def test_a_second_signal_does_not_wait(tmp_path: Path, log: LogFile, story: Story) -> None:
    stubborn = service("stubborn", tmp_path / "pid", STUBBORN, grace_s=600)

    async def impatient() -> None:
        await until(lambda: ("stubborn", "stopping") in story.steps())
        os.kill(os.getpid(), signal.SIGINT)

    second = asyncio.create_task(impatient())

    async def work() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.Event().wait()

    await Supervisor([stubborn], log, story).run(work)
    await second
    assert story.steps()[-1] == ("stubborn", "killed")


async def test_an_error_in_the_work_comes_out_as_it_is(
    tmp_path: Path, log: LogFile, story: Story
) -> None:
    async def work() -> None:
        raise LookupError("lost")

    child = service("child", tmp_path / "pid", FOREVER)
    with pytest.raises(LookupError, match="lost"):
        await Supervisor([child], log, story).run(work)
    assert not alive(int((tmp_path / "pid").read_text()))
