"""The code path of dot products in this process, one of three.

`avx512` needs AVX-512 with VNNI, `avx2` needs AVX2 with FMA, `plain` is any CPU that LLVM knows.
The best that the CPU supports is used, unless `NALANDA_KERNELS` names one.
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
    """Return the code paths that this CPU supports, best first."""
    features = binding.get_host_cpu_features()
    return [path for path, needs in _NEEDS.items() if all(features.get(need) for need in needs)]


def choose_path(wanted: str | None) -> CodePath:
    """Return the named path, else the best.

    Raises:
        RuntimeError: an unknown name, or a path that this CPU does not support.
    """
    paths = available()
    if wanted in {None, "", "auto"}:
        return paths[0]
    if wanted not in paths:
        known = ", ".join(["auto", *paths])
        raise RuntimeError(f"NALANDA_KERNELS={wanted} is not for this CPU; there are: {known}.")
    return CodePath(wanted)


CODE_PATH: Final = choose_path(os.environ.get("NALANDA_KERNELS"))
