"""Description of the machine of a measurement, for its result file."""

import os
import platform
from importlib import metadata
from pathlib import Path

from core.indexing.kernels.cpu import CODE_PATH

_PACKAGES = ("numpy", "numba", "hnswlib", "faiss-cpu", "usearch", "scann")


def description() -> dict[str, object]:
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": platform.system(),
        "python": platform.python_version(),
        "code_path": str(CODE_PATH),
        "packages": {name: metadata.version(name) for name in _PACKAGES if _has(name)},
    }


def _cpu() -> str:
    about = Path("/proc/cpuinfo")
    if about.exists():
        for line in about.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def _has(package: str) -> bool:
    try:
        metadata.version(package)
    except metadata.PackageNotFoundError:
        return False
    return True
