"""Which of the three ways to compute dot products this process takes.

`avx512` needs AVX-512 with VNNI, `avx2` needs AVX2 with FMA, `plain` is any CPU that LLVM knows.
The best that the CPU has is taken, unless `NALANDA_KERNELS` names one.
"""

import os
from enum import StrEnum
from typing import Final

from llvmlite import binding


class CodePath(StrEnum):
    AVX512 = "avx512"
    AVX2 = "avx2"
    PLAIN = "plain"


_NEEDS: Final = {
    CodePath.AVX512: ("avx512f", "avx512bw", "avx512vnni"),
    CodePath.AVX2: ("avx2", "fma"),
    CodePath.PLAIN: (),
}


def available() -> list[CodePath]:
    """Those that this CPU has, best first."""
    features = binding.get_host_cpu_features()
    return [path for path, needs in _NEEDS.items() if all(features.get(need) for need in needs)]


def chosen(wanted: str | None) -> CodePath:
    """The path that is named, else the best.

    Raises:
        RuntimeError: a name that there is not, or a path that this CPU does not have.
    """
    paths = available()
    if wanted in {None, "", "auto"}:
        return paths[0]
    if wanted not in paths:
        known = ", ".join(["auto", *paths])
        raise RuntimeError(f"NALANDA_KERNELS={wanted} is not for this CPU; there are: {known}.")
    return CodePath(wanted)


CODE_PATH: Final = chosen(os.environ.get("NALANDA_KERNELS"))
