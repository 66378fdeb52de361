"""`make bench ARGS=ingesting`: `nalanda ingest` by workflows, and by its plain loop `--direct`.

Both ways ingest the same folder into new libraries, in turn, each as a whole command, which is
repeated over unchanged files. Questions are asked while one runs. `ARGS="ingesting remote"`
measures a provider with slow calls instead.
"""

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

from benchmarks import remote_ingesting
from benchmarks.index.report import write
from benchmarks.processes import run_measurement
from benchmarks.timing import time_ms
from cli.processes.stack import Stack
from nalanda import AsyncNalanda, IngestItemOptions
from tests.chaos.files import TEXTS, make_files

ROUNDS = 3
QUESTIONS = 40
_POLL_S = 0.02
SETS: Mapping[str, Mapping[str, Any]] = {
    "1,000 small files": {"count": 1000, "sections": 1, "kinds": {"md": TEXTS["md"]}},
    "1,000 mixed files": {"count": 1000, "sections": 6, "kinds": TEXTS},
}
WAYS: Mapping[str, tuple[str, ...]] = {"workflow": (), "loop": ("--direct",)}


async def main(*arguments: str) -> None:
    await (remote_ingesting.main() if "remote" in arguments else run_measurement(_measure))


async def _measure(stack: Stack) -> None:
    measured: dict[str, Any] = {}
    async with AsyncNalanda(stack.settings.api_url) as client:
        with tempfile.TemporaryDirectory() as folder:
            for name, options in SETS.items():
                root = Path(folder, name)
                _write_files(root, make_files(**options))
                measured[name] = await _measure_set(stack, client, root)
                print(f"{name}: {_line(measured[name])}", flush=True)
            measured["cancelled"] = await _measure_cancellations(client)
            print(f"cancelled: {_cancellation_line(measured['cancelled'])}", flush=True)
            measured["question"] = await _measure_questions(stack, root)
            print(f"a question: {_question_line(measured['question'])}", flush=True)
    write("ingesting", measured)


def _write_files(root: Path, files: Mapping[str, bytes]) -> None:
    for source, content in files.items():
        path = root / source
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.decode("utf-16").encode() if path.suffix == ".txt" else content)


async def _measure_set(stack: Stack, client: AsyncNalanda, root: Path) -> dict[str, Any]:
    seconds: dict[str, list[float]] = defaultdict(list)
    chunks = {}
    for round_ in range(ROUNDS):
        for way in sorted(WAYS, reverse=bool(round_ % 2)):
            library = f"{root.name} {way} {round_}"
            seconds[way].append(await _ingest(stack, root, library, *WAYS[way]))
            chunks[way] = (await client.index.get(library)).vectors
            unchanged_s = await _ingest(stack, root, library, *WAYS[way])
            seconds[f"{way} unchanged"].append(unchanged_s)
    medians = {way: statistics.median(each) for way, each in seconds.items()}
    rates = {way: chunks[way] / medians[way] for way in WAYS}
    return {
        "chunks": chunks,
        "seconds": medians,
        "chunks_per_second": rates,
        "workflow_over_loop": rates["workflow"] / rates["loop"],
        "first_over_unchanged": {way: medians[way] / medians[f"{way} unchanged"] for way in WAYS},
    }


async def _ingest(stack: Stack, root: Path, library: str, *options: str) -> float:
    """Return the seconds of the command.

    Raises:
        RuntimeError: the command failed.
    """
    nalanda = str(Path(sys.executable).with_name("nalanda"))
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *(nalanda, "ingest", str(root), "--library", library, *options),
        env={**os.environ, "NALANDA_API_URL": stack.settings.api_url, "NALANDA_API_KEYS": ""},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        out, _ = await process.communicate()
    except asyncio.CancelledError:
        with suppress(ProcessLookupError):
            process.kill()
        raise
    if process.returncode:
        raise RuntimeError(out.decode())
    return time.perf_counter() - began


async def _measure_cancellations(client: AsyncNalanda) -> list[dict[str, float]]:
    """Return the seconds until no document is visible, for ingestions of 1,000 small files."""
    measured = []
    for number, share in enumerate((0.2, 0.5, 0.8)):
        library = f"cancelled {number}"
        await client.libraries.create(library)
        files = make_files(**SETS["1,000 small files"])
        items: list[IngestItemOptions] = [
            {"source": source, "content": content} for source, content in files.items()
        ]
        handle = await client.ingestions.start(library, items)
        async for state in client.ingestions.watch(handle.workflow_id):
            if state.files.added >= share * len(items):
                break
        began = time.perf_counter()
        await client.ingestions.cancel(handle.workflow_id)
        while await _has_documents(client, library):  # noqa: ASYNC110  # in another process
            await asyncio.sleep(_POLL_S)
        gone_s = time.perf_counter() - began
        state = await client.ingestions.wait(handle.workflow_id)
        measured.append({"documents": state.files.removed, "gone_s": gone_s})
    return measured


async def _has_documents(client: AsyncNalanda, library: str) -> bool:
    async for _ in client.documents.list(library, page_size=1):
        return True
    return False


async def _measure_questions(stack: Stack, root: Path) -> dict[str, float]:
    """Return the medians of a question's milliseconds, idle and while an ingestion runs."""
    library = f"{root.name} workflow 0"
    async with httpx.AsyncClient(base_url=stack.settings.api_url, trust_env=False) as http:
        idle = [await _ask(http, library, number) for number in range(QUESTIONS)]
        ingesting = asyncio.create_task(_ingest(stack, root, "meanwhile"))
        meanwhile: list[float] = []
        while not ingesting.done():
            meanwhile.append(await _ask(http, library, len(meanwhile)))
        await ingesting
    medians = {"idle_ms": statistics.median(idle), "meanwhile_ms": statistics.median(meanwhile)}
    return {**medians, "ratio": medians["meanwhile_ms"] / medians["idle_ms"]}


async def _ask(http: httpx.AsyncClient, library: str, number: int) -> float:
    """Return the milliseconds to the answer.

    Raises:
        RuntimeError: there was no answer in time.
    """
    body = {"library": library, "query": f"What is the toll of the harbour {number}?"}
    ms, response = await time_ms(http.post("/query", params={"wait_s": 10}, json=body, timeout=30))
    if response.status_code != httpx.codes.OK:
        raise RuntimeError(f"No answer in time: {response.text}")
    return ms


def _cancellation_line(found: Sequence[Mapping[str, float]]) -> str:
    return ", ".join(
        f"{each['documents']} documents gone in {each['gone_s']:.2f} s" for each in found
    )


def _line(found: Mapping[str, Any]) -> str:
    rates = found["chunks_per_second"]
    return (
        f"{found['chunks']['workflow']} chunks; {rates['workflow']:.0f} a second by workflows, "
        f"{rates['loop']:.0f} by the loop: {found['workflow_over_loop']:.2f} x. "
        f"Unchanged {found['seconds']['workflow unchanged']:.2f} s, "
        f"{found['first_over_unchanged']['workflow']:.1f} x faster than "
        f"{found['seconds']['workflow']:.1f} s, and "
        f"{found['first_over_unchanged']['loop']:.1f} x by the loop"
    )


def _question_line(found: Mapping[str, float]) -> str:
    return (
        f"{found['idle_ms']:.0f} ms idle, {found['meanwhile_ms']:.0f} ms while files are "
        f"ingested: {found['ratio']:.2f} x"
    )
