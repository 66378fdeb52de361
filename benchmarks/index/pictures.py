"""Plots of curves: higher is faster, further right is better recall."""

from collections.abc import Mapping
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
