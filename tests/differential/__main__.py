"""`python -m tests.differential`: generated searches by the fast path and by the route.

Exits with 1 if a pair of responses differs in status, headers or body.
"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from core.settings import Settings
from tests.differential.comparing import Comparison, compare, fill
from tests.differential.requests import generate
from tests.integration.api.calls import open_app

KERNELS_S = 300


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.differential", description=__doc__)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    comparison = asyncio.run(_run(options.requests, options.seed))
    print(*comparison.differences[:10], sep="\n")
    statuses = dict(sorted(comparison.statuses.items()))
    print(
        f"{comparison.requests:,} requests, {comparison.fast:,} answered by the fast path, "
        f"statuses {statuses}, {len(comparison.differences)} differences"
    )
    return 1 if comparison.differences or not comparison.fast else 0


async def _run(count: int, seed: int) -> Comparison:
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            data_dir=Path(folder),
            temporal_address="127.0.0.1:1",
            provider="local",
            min_position_wait_s=0.01,
        )
        async with open_app(settings) as (client, core):
            await fill(client)
            await asyncio.to_thread(core.warmup.wait, KERNELS_S)
            return await compare(client, generate(count, seed))


if __name__ == "__main__":
    sys.exit(main())
