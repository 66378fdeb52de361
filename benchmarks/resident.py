"""The resident set of a process, as Linux shows it."""

from pathlib import Path


def rss_mb(pid: int) -> float:
    return _mb(pid, "VmRSS")


def peak_rss_mb(pid: int) -> float:
    """Return the highest resident set since the process began, or since `forget_peak`."""
    return _mb(pid, "VmHWM")


def forget_peak(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def _mb(pid: int, field: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    [kib] = [line.split()[1] for line in lines if line.startswith(f"{field}:")]
    return int(kib) / 1024
