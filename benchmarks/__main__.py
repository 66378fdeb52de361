"""`make bench`: every measurement, one after the other; `ARGS=workflow` for one of them,
`ARGS="retrieval FILE…"` for one over files, `ARGS="hnsw hard"` for one over a data set.

Machines are shared and noisy, so each measurement runs its peers in the same process, in
turn, and prints medians and their ratio.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence

from benchmarks import (
    following,
    ingesting,
    inserting,
    question,
    readers,
    reembedding,
    request,
    restart,
    retrieval,
    search,
    storage,
    trace,
    workflow,
)
from benchmarks.index import (
    approximate,
    copies,
    exact,
    filters,
    memory,
    nprobe,
    serving,
    starting,
    writing,
)
from benchmarks.simulation import comparison

Benchmark = Callable[..., Awaitable[None]]

BENCHMARKS: Mapping[str, Benchmark] = {
    "workflow": workflow.main,
    "question": question.main,
    "search": search.main,
    "request": request.main,
    "readers": readers.main,
    "retrieval": retrieval.main,
    "hnsw": approximate.main,
    "copies": copies.main,
    "nprobe": nprobe.main,
    "exact": exact.main,
    "filters": filters.main,
    "serving": serving.main,
    "writing": writing.main,
    "memory": memory.main,
    "starting": starting.main,
    "storage": storage.main,
    "following": following.main,
    "restart": restart.main,
    "inserting": inserting.main,
    "ingesting": ingesting.main,
    "reembedding": reembedding.main,
    "simulation": comparison.main,
    "trace": trace.main,
}
TAKE_ARGUMENTS = {
    "retrieval",
    "search",
    "request",
    "hnsw",
    "nprobe",
    "exact",
    "filters",
    "serving",
    "writing",
    "memory",
    "ingesting",
    "reembedding",
}


def main() -> int:
    try:
        wanted = _parse_arguments(sys.argv[1:]) or [(name, []) for name in BENCHMARKS]
    except LookupError as error:
        known = ", ".join(BENCHMARKS)
        print(f"No benchmark is called {error.args[0]}; there are: {known}", file=sys.stderr)
        return 2
    for name, files in wanted:
        asyncio.run(_run(BENCHMARKS[name], files))
    return 0


def _parse_arguments(arguments: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Names of benchmarks, each with the arguments that follow it, if it takes any.

    Raises:
        LookupError: something is no benchmark's name.
    """
    wanted: list[tuple[str, list[str]]] = []
    for argument in arguments:
        if argument in BENCHMARKS:
            wanted.append((argument, []))
        elif wanted and wanted[-1][0] in TAKE_ARGUMENTS:
            wanted[-1][1].append(argument)
        else:
            raise LookupError(argument)
    return wanted


async def _run(benchmark: Benchmark, files: Sequence[str]) -> None:
    await benchmark(*files)


if __name__ == "__main__":
    sys.exit(main())
