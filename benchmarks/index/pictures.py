"""Plots: curves, where higher is faster and further right is better recall, and bars of parts."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.index.curves import Curve


def draw(title: str, curves: Mapping[str, Curve], path: Path) -> None:
    """Draw the curves into a file.

    Raises:
        ModuleNotFoundError: matplotlib of the group `bench` is missing.
    """
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 5))
    for name, curve in curves.items():
        shown = [point for point in curve if point.recall >= 0.8]
        style = {"linewidth": 2.5, "marker": "o"} if "Nalanda" in name else {"marker": "."}
        recalls = [max(1 - point.recall, 1e-4) for point in shown]
        axes.plot(recalls, [point.batch_qps for point in shown], label=name, **style)
    axes.set(xscale="log", yscale="log", title=title)
    axes.set(xlabel="1 - recall@10 (log)", ylabel="queries a second, one thread (log)")
    axes.invert_xaxis()
    axes.grid(visible=True, which="both", alpha=0.3)
    axes.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


def draw_parts(title: str, bars: Mapping[str, Sequence[tuple[str, float]]], path: Path) -> None:
    """Draw a bar for each name, with its parts one after the other, into a file.

    Raises:
        ModuleNotFoundError: matplotlib of the group `bench` is missing.
    """
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(9, 3.5))
    names = list(bars)
    ends = dict.fromkeys(names, 0.0)
    for place in range(len(bars[names[0]])):
        part = bars[names[0]][place][0]
        lengths = [bars[name][place][1] for name in names]
        axes.barh(names, lengths, left=[ends[name] for name in names], label=part)
        ends = {name: ends[name] + length for name, length in zip(names, lengths, strict=True)}
    axes.invert_yaxis()
    axes.set(title=title, xlabel="µs")
    axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
