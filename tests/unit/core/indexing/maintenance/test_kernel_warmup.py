import pytest

from core.indexing.maintenance import kernel_warmup
from core.indexing.maintenance.kernel_warmup import Warmup


def test_kernels_are_ready_in_the_end() -> None:
    warmup = Warmup()
    states = [warmup.state]
    warmup.start()
    assert warmup.wait(300)
    states.append(warmup.state)
    assert states == ["compiling", "ok"]


def test_a_failure_is_told_and_harms_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise OSError("no compiler")

    monkeypatch.setattr(kernel_warmup, "call_every_kernel", fail)
    warmup = Warmup()
    warmup.start()
    assert warmup.wait(300)
    assert warmup.state == "failed"
