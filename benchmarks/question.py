"""A question from end to end, compared with the minimum cost of four durable stages.

Both use the same Temporal server, each with its own worker process, in turn, timed by their
clients. The question is one HTTP request that waits for the answer. The no-op workflow runs four
regular activities through `execute_workflow`. The library is the documentation of this Python's
standard library.
"""

import asyncio
import statistics
import sys
import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import httpx
from temporalio.client import Client

from benchmarks.noop import QUEUE, FourActivities
from benchmarks.processes import run_measurement
from benchmarks.timing import time_ms
from cli.demo import corpus
from cli.demo.ingest import LIBRARY, ingest
from cli.demo.tour import QUESTIONS
from cli.processes.stack import Stack
from cli.processes.supervision import health
from cli.processes.supervision.child import Service
from nalanda import AsyncNalanda
from workflows.client import connect

WARM, ROUNDS, PER_ROUND = 10, 12, 5


async def main() -> None:
    await run_measurement(_measure, others=lambda stack: [_noop_worker(stack)])


def _noop_worker(stack: Stack) -> Service:
    command = (sys.executable, "-m", "benchmarks.noop_worker", stack.settings.temporal_address)
    return Service("noop", command, health.worker)


async def _measure(stack: Stack) -> None:
    chunks = await _fill(stack.settings.api_url)
    temporal = await connect(stack.settings.temporal_address)
    questions = cycle(QUESTIONS)
    asked: list[float] = []
    idle: list[float] = []
    stages: dict[str, list[float]] = defaultdict(list)
    async with httpx.AsyncClient(base_url=stack.settings.api_url, trust_env=False) as http:
        for _ in range(WARM):
            await _ask(http, next(questions))
            await _do_nothing(temporal)
        for _ in range(ROUNDS):
            for _ in range(PER_ROUND):
                ms, answer = await time_ms(_ask(http, next(questions)))
                asked.append(ms)
                for stage, took_ms in answer["timings_ms"].items():
                    stages[stage].append(took_ms)
            idle += [(await time_ms(_do_nothing(temporal)))[0] for _ in range(PER_ROUND)]
    _print(chunks, asked, idle, stages)


async def _fill(api_url: str) -> int:
    """Fill the library, and return its number of chunks."""
    documents = list(corpus.documents(await asyncio.to_thread(corpus.read)))
    async with AsyncNalanda(api_url) as client:
        return sum([len(step.document.chunks) async for step in ingest(client, documents)])


async def _ask(http: httpx.AsyncClient, question: str) -> Any:
    body = {"library": LIBRARY, "query": question}
    response = await http.post("/query", params={"wait_s": 10}, json=body)
    if response.status_code != httpx.codes.OK:
        raise RuntimeError(f"No answer in time: {response.text}")
    return response.json()


async def _do_nothing(temporal: Client) -> None:
    await temporal.execute_workflow(
        FourActivities.run, id=f"benchmark-{uuid.uuid4()}", task_queue=QUEUE
    )


def _print(
    chunks: int,
    asked: Sequence[float],
    idle: Sequence[float],
    stages: Mapping[str, Sequence[float]],
) -> None:
    question, nothing = statistics.median(asked), statistics.median(idle)
    inside = ", ".join(f"{name} {statistics.median(ms):.1f}" for name, ms in stages.items())
    print(f"A question to {chunks:,} chunks, {len(asked)} of them, warm, p50:")
    print(f"  POST /query?wait_s=10, local provider   {question:7.1f} ms   ({inside})")
    print(f"  a workflow of four activities, no-op    {nothing:7.1f} ms")
    print(f"  ratio                                   {question / nothing:7.2f}")
