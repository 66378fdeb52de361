import logging
import threading
from collections.abc import Iterator

import pytest

from core.indexing.maintenance import kernel_warmup
from core.indexing.maintenance.kernel_warmup import Warmup
from core.indexing.segment.delta_search import DeltaSearch

_PATIENCE_S = 30


def test_kernels_are_ready_in_the_end() -> None:
    warmup = Warmup(delta := DeltaSearch())
    states = [warmup.state]
    warmup.start()
    assert warmup.wait(300)
    states.append(warmup.state)
    assert states == ["compiling", "ok"]
    assert delta._scan is not None
    warmup.close()


def test_a_failure_is_logged_and_harms_no_search(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: DeltaSearch) -> Iterator[None]:
        raise OSError("no compiler")

    monkeypatch.setattr(kernel_warmup, "_call_each_kernel", fail)
    warmup = Warmup(DeltaSearch())
    warmup.start()
    assert warmup.wait(300)
    assert warmup.state == "failed"
    warmup.close()
    assert "can't be compiled" in caplog.text


def test_closing_stops_the_compilation_and_prints_no_error(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    started, closed, called = threading.Event(), threading.Event(), []

    def call(_: DeltaSearch) -> Iterator[None]:
        started.set()
        assert closed.wait(_PATIENCE_S)
        yield
        called.append("the next kernel")

    monkeypatch.setattr(kernel_warmup, "_call_each_kernel", call)
    monkeypatch.setattr(kernel_warmup, "_CLOSE_S", 0.0)
    warmup = Warmup(DeltaSearch())
    warmup.start()
    assert started.wait(_PATIENCE_S)
    warmup.close()
    closed.set()
    assert warmup.wait(_PATIENCE_S)
    assert not called
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
