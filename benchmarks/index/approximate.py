"""`make bench ARGS="hnsw"`: builds, and recall against queries a second, on three data sets.

`ARGS="hnsw hard"` takes one of them, `ARGS="hnsw PATH"` a file of vectors.
"""

from dataclasses import asdict
from pathlib import Path
from time import perf_counter

from benchmarks.index import datasets
from benchmarks.index.curves import Curve, measure, qps_at
from benchmarks.index.datasets import Dataset
from benchmarks.index.peers import PEERS, Built
from benchmarks.index.pictures import draw
from benchmarks.index.report import FOLDER, write
from core.domain.library import Metric
from core.indexing.maintenance.kernel_warmup import call_every_kernel

THREADS = 2
TARGETS = (0.95, 0.99)


async def main(*arguments: str) -> None:
    call_every_kernel()
    for name in arguments or ("clustered", "images", "hard"):
        dataset = _dataset(name)
        print(f"\n{dataset.name}: {dataset.description}", flush=True)
        built, seconds = _build(dataset)
        curves = measure(dataset, built)
        _print(curves, seconds, built)
        draw(dataset.description, curves, _picture(dataset))
        write(f"hnsw-{dataset.name}", _figures(dataset, curves, seconds, built))


def _dataset(name: str) -> Dataset:
    if name in datasets.MAKERS:
        return datasets.MAKERS[name]()
    return datasets.read(Path(name), Metric.L2)


def _build(dataset: Dataset) -> tuple[dict[str, Built], dict[str, float]]:
    built, seconds = {}, {}
    for peer in PEERS:
        started = perf_counter()
        built[peer.name] = peer.build(dataset, THREADS)
        seconds[peer.name] = perf_counter() - started
        print(f"  built {peer.name:24} {seconds[peer.name]:7.1f} s", flush=True)
    return built, seconds


def _picture(dataset: Dataset) -> Path:
    FOLDER.mkdir(exist_ok=True)
    return FOLDER / f"hnsw-{dataset.name}.svg"


def _at(curve: Curve) -> dict[str, float | None]:
    return {
        f"{way} @ {target}": qps_at(curve, target, single=single)
        for single, way in ((False, "batch"), (True, "single"))
        for target in TARGETS
    }


def _print(curves: dict[str, Curve], seconds: dict[str, float], built: dict[str, Built]) -> None:
    mine, *_ = curves
    columns = list(_at(curves[mine]))
    print(f"  {'queries a second (Nalanda ÷ it)':24} " + "".join(f"{c:>20}" for c in columns))
    for name, curve in curves.items():
        cells = ""
        for column in columns:
            qps, own = _at(curve)[column], _at(curves[mine])[column]
            ratio = f"({own / qps:.2f})" if qps and own else ""
            cells += f"{f'{qps:,.0f} {ratio}' if qps else 'never':>20}"
        took = seconds[name] / seconds[mine]
        print(f"  {name:24} {cells}   build {took:5.2f} x   {built[name].note}")


def _figures(
    dataset: Dataset, curves: dict[str, Curve], seconds: dict[str, float], built: dict[str, Built]
) -> object:
    return {
        "dataset": dataset.description,
        "threads_of_builds": THREADS,
        "peers": {
            name: {
                "note": built[name].note,
                "build_s": round(seconds[name], 2),
                "queries_a_second": _at(curve),
                "curve": [asdict(point) for point in curve],
            }
            for name, curve in curves.items()
        },
    }
