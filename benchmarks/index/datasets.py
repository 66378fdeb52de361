"""Data sets: generated from a seed, or read from a file."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.index.sentences import embeddings
from core.domain.library import Metric

Floats = NDArray[np.float32]

QUERIES, K = 1_000, 10
_ROWS_AT_ONCE = 1 << 14


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """A data set; `rows`: `(n, d) float32`, unit norm under cosine; `truth`: `(q, K)`, nearest
    rows.
    """

    name: str
    description: str
    metric: Metric
    rows: Floats
    queries: Floats
    truth: NDArray[np.int64]

    @classmethod
    def of(
        cls, name: str, description: str, metric: Metric, rows: Floats, queries: Floats
    ) -> "Dataset":
        return cls(name, description, metric, rows, queries, nearest(metric, rows, queries))


def nearest(
    metric: Metric, rows: Floats, queries: Floats, allowed: NDArray[np.bool_] | None = None
) -> NDArray[np.int64]:
    """Return the nearest rows by matrix products, independently of the measured code.

    `(q, K)`, with `-1` where there are too few rows.
    """
    best = np.full((len(queries), K), -np.inf, np.float32)
    nearest_rows = np.full((len(queries), K), -1, np.int64)
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        part = rows[start : start + _ROWS_AT_ONCE]
        scores = queries @ part.T
        if metric is Metric.L2:
            scores = 2 * scores - np.einsum("ij,ij->i", part, part)
        if allowed is not None:
            scores[:, ~allowed[start : start + _ROWS_AT_ONCE]] = -np.inf
        both = np.concatenate([best, scores], axis=1)
        numbers = np.concatenate(
            [nearest_rows, np.broadcast_to(np.arange(start, start + len(part)), scores.shape)],
            axis=1,
        )
        kept = np.argpartition(-both, K - 1, axis=1)[:, :K]
        best, nearest_rows = (np.take_along_axis(array, kept, axis=1) for array in (both, numbers))
    return np.where(np.isfinite(best), nearest_rows, -1)


def clustered(name: str, count: int, dimension: int, *, intrinsic: int, spread: float) -> Dataset:
    """Return unit vectors around 2,000 centres of unequal size in a random subspace, with noise."""
    rng = np.random.default_rng(1)
    centres = rng.standard_normal((2_000, intrinsic))
    basis = rng.standard_normal((intrinsic, dimension)) / np.sqrt(intrinsic)
    weights = rng.dirichlet(np.full(len(centres), 0.7))

    def generate(many: int) -> Floats:
        rows = np.empty((many, dimension), np.float32)
        for start in range(0, many, _ROWS_AT_ONCE):
            size = min(_ROWS_AT_ONCE, many - start)
            near = centres[rng.choice(len(centres), size, p=weights)]
            inside = near + spread * rng.standard_normal((size, intrinsic))
            noise = 0.1 * rng.standard_normal((size, dimension))
            rows[start : start + size] = inside @ basis + noise
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)

    description = f"{count:,} × {dimension}, clustered, intrinsic dimension about {intrinsic}"
    return Dataset.of(name, description, Metric.COSINE, generate(count), generate(QUERIES))


def images(count: int) -> Dataset:
    """Return 28 × 28 images of strokes between points of ten prototypes: bytes, mostly zero."""
    rng = np.random.default_rng(2)
    prototypes = rng.uniform(4, 24, size=(10, 6, 2))
    y, x = np.meshgrid(np.arange(28), np.arange(28), indexing="ij")

    def generate(many: int) -> Floats:
        rows = np.empty((many, 784), np.float32)
        for start in range(0, many, 2_000):
            size = min(2_000, many - start)
            points = prototypes[rng.integers(0, 10, size)]
            points = points + 1.5 * rng.standard_normal(points.shape)
            points += rng.standard_normal((size, 1, 2))
            widths = rng.uniform(1.3, 2.5, size=(size, 6))
            inks = rng.uniform(0.6, 1.3, size=(size, 6))
            ink = np.zeros((size, 28, 28))
            for stroke in range(6):
                end = np.roll(points, 1, axis=1)[:, stroke]
                for t in (0.0, 0.25, 0.5, 0.75):
                    at = (points[:, stroke] * (1 - t) + end * t)[:, :, np.newaxis, np.newaxis]
                    square = (y - at[:, 0]) ** 2 + (x - at[:, 1]) ** 2
                    width = widths[:, stroke, np.newaxis, np.newaxis]
                    ink += inks[:, stroke, np.newaxis, np.newaxis] * np.exp(
                        -square / (2 * width**2)
                    )
            ink = np.clip(140 * ink - 20, 0, 255)
            ink = np.where(ink > 0, ink + 4 * rng.standard_normal(ink.shape), 0)
            rows[start : start + size] = np.clip(np.rint(ink), 0, 255).reshape(size, 784)
        return rows

    description = f"{count:,} × 784, image-like"
    return Dataset.of("images", description, Metric.L2, generate(count), generate(QUERIES))


def sentences(count: int) -> Dataset:
    """Embed sentences of the installed packages' docstrings with the built-in model."""
    rows = embeddings(count + QUERIES)
    queries, rows = rows[:QUERIES], np.ascontiguousarray(rows[QUERIES:])
    description = f"{len(rows):,} × {rows.shape[1]}, sentences by the built-in model"
    return Dataset.of("sentences", description, Metric.COSINE, rows, queries)


def read(path: Path, metric: Metric) -> Dataset:
    """Read `.npy`, `.idx` (MNIST's format) or `.hdf5` (ann-benchmarks' format).

    Raises:
        ValueError: the format is none of these.
    """
    match path.suffix:
        case ".npy":
            rows = np.load(path).astype(np.float32)
        case ".idx":
            rows = _idx(path)
        case ".hdf5":
            import h5py

            with h5py.File(path) as file:
                rows, queries = (np.asarray(file[part], np.float32) for part in ("train", "test"))
            return Dataset.of(path.stem, path.name, metric, rows, queries[:QUERIES])
        case other:
            raise ValueError(f"{path} ends in {other!r}; .npy, .idx and .hdf5 are read.")
    queries, rows = rows[:QUERIES], rows[QUERIES:]
    return Dataset.of(path.stem, path.name, metric, np.ascontiguousarray(rows), queries)


def _idx(path: Path) -> Floats:
    content = path.read_bytes()
    axes = content[3]
    shape = np.frombuffer(content, ">u4", axes, 4)
    pixels = np.frombuffer(content, np.uint8, offset=4 + 4 * axes)
    return pixels.reshape(int(shape[0]), -1).astype(np.float32)


MAKERS = {
    "clustered": lambda: clustered("clustered", 100_000, 384, intrinsic=48, spread=0.6),
    "images": lambda: images(60_000),
    "hard": lambda: clustered("hard", 100_000, 384, intrinsic=96, spread=1.3),
    "small": lambda: clustered("small", 10_000, 384, intrinsic=48, spread=0.6),
    "sentences": lambda: sentences(90_000),
    "million": lambda: clustered("million", 1_000_000, 128, intrinsic=32, spread=0.6),
}
