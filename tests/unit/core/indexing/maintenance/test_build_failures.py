"""The build thread: failed builds, and when they are retried."""

import errno
from pathlib import Path

import pytest

from core.domain.changes import ChunksDeleted
from core.indexing.maintenance.build_thread import RETRY_S
from core.indexing.maintenance.index_status import index_status
from tests.unit.core.indexing.maintenance.setting import Setting, nearest, settle
from tests.waiting import until


def test_a_failure_is_reported_and_retried_after_the_next_write(
    setting: Setting, caplog: pytest.LogCaptureFixture
) -> None:
    setting.put(0, 50)

    def fail(_: object) -> None:
        raise MemoryError("no room\nat all")

    setting.meanwhile = fail
    setting.builder.start()
    settle(setting)
    status = index_status(setting.view, error=setting.builder.error("L"))
    assert (status.state, status.error) == ("failed", "MemoryError: no room")
    assert "could be built for the library L" in caplog.text
    assert nearest(setting.view, 17) == ["c017"]
    setting.builder.note_writes([])
    settle(setting)
    assert setting.built == [50]
    setting.meanwhile = lambda _: None
    setting.put(50, 51)
    settle(setting)
    assert (setting.sizes, setting.state()) == ([(50, True), (1, False)], "ready")


def test_writes_do_not_cause_one_retry_after_the_other(setting: Setting) -> None:
    setting.put(0, 50)
    tries = []

    def fail(_: object) -> None:
        tries.append(setting.now)
        setting.put(50, 52)
        raise OSError("full")

    setting.meanwhile = fail
    setting.builder.start()
    with pytest.raises(TimeoutError):
        setting.builder.wait_until_idle(0.1)
    for now in (1, 4):
        setting.now = now
        setting.put(51, 53)
    setting.builder.close()
    assert len(tries) <= 2, "the builder waits, whatever is written"
    assert setting.sizes == [(50, False), (3, False)]


def test_a_full_disk_is_retried_without_a_write(setting: Setting) -> None:
    setting.put(0, 50)

    def fail(_: object) -> None:
        setting.meanwhile = lambda _: None
        raise OSError(errno.ENOSPC, "No space left on device")

    setting.meanwhile = fail
    setting.builder.start()
    settle(setting)
    assert setting.builder.error("L") == "OSError: [Errno 28] No space left on device"
    setting.now = RETRY_S - 1
    setting.builder.note_writes([])
    settle(setting)
    assert setting.state() == "failed"
    setting.now = RETRY_S
    setting.builder.note_writes([])
    until(lambda: setting.state() == "ready")
    assert setting.sizes == [(50, True)]


def test_an_error_is_cleared_once_no_job_is_left(setting: Setting) -> None:
    setting.put(0, 50)

    def fail(_: object) -> None:
        raise RuntimeError("never")

    setting.meanwhile = fail
    setting.builder.start()
    settle(setting)
    assert setting.builder.error("L")
    setting.write(ChunksDeleted("L", [f"c{i:03}" for i in range(50)]))
    settle(setting)
    assert setting.builder.error("L") is None


def test_a_full_disk_is_a_failure_like_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("core.indexing.maintenance.merge_policy.FLUSH_ROWS", 40)
    setting = Setting(tmp_path / "missing")
    setting.put(0, 50)
    setting.builder.start()
    settle(setting)
    setting.builder.close()
    assert setting.state() == "failed"
    assert nearest(setting.view, 17) == ["c017"]
