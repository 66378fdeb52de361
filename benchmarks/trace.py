"""`make bench ARGS=trace`: a question's trace, drawn as a collector receives it.

A stack of real processes answers by a local server of Cohere's wire shape, which takes no time of
its own. The drawn question is the last of several, so that all connections are open.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path

from benchmarks.index.report import FOLDER
from tests.cohere_server import CohereServer
from tests.collector import CollectedSpan, Collector
from tests.e2e.stack import Stack
from tests.e2e.traces import ask, fill, traced
from tests.waiting import until

QUESTIONS = 20
LAST = ("POST /query", "RunWorkflow:QueryWorkflow")

ROW, TOP, NAMES, BARS, MARGIN = 20, 48, 330, 560, 70
COLOURS = {"nalanda-api": "#2a6f97", "nalanda-worker": "#b5651d"}


async def main() -> None:
    spans = record()
    (FOLDER / "trace.svg").write_text(draw(spans))
    for depth, span in walk(spans):
        print(f"{_ms(span):8.2f} ms  {'  ' * depth}{span.name}")


def record() -> Sequence[CollectedSpan]:
    """Ask questions on a stack, and return the spans of the last one."""
    with (
        Collector() as collector,
        CohereServer() as provider,
        tempfile.TemporaryDirectory() as folder,
        Stack(Path(folder)) as stack,
    ):
        traced(stack, provider, collector.url)
        stack.start_all()
        with stack.client() as client:
            fill(client)
        for n in range(1, QUESTIONS + 1):
            trace_id = f"{n:032x}"
            ask(stack, trace_id).raise_for_status()
        until(lambda: set(LAST) <= {span.name for span in collector.of(trace_id)})
        # The worker and the API send at most this often, each by itself.
        stack.stop("worker")
        return collector.of(trace_id)


def walk(spans: Sequence[CollectedSpan]) -> Iterator[tuple[int, CollectedSpan]]:
    """Yield each span with its depth: children below their parent, in the order of their starts."""
    known = {span.span_id for span in spans}
    children: dict[str, list[CollectedSpan]] = {}
    for span in sorted(spans, key=lambda span: span.start_ns):
        children.setdefault(span.parent_id if span.parent_id in known else "", []).append(span)
    yield from _below("", children, 0)


def _below(
    parent_id: str, children: Mapping[str, Sequence[CollectedSpan]], depth: int
) -> Iterator[tuple[int, CollectedSpan]]:
    for span in children.get(parent_id, ()):
        yield depth, span
        yield from _below(span.span_id, children, depth + 1)


def draw(spans: Sequence[CollectedSpan]) -> str:
    """Return an SVG with a row for each span: its name, and a bar from its start to its end."""
    rows = list(walk(spans))
    began_ns = min(span.start_ns for span in spans)
    per_ns = BARS / (max(span.end_ns for span in spans) - began_ns)
    width, height = NAMES + BARS + MARGIN, TOP + ROW * len(rows) + 10
    font = 'font-family="sans-serif" font-size="12"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" {font}>',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        '<text x="10" y="20" font-size="14">One question: each span, in milliseconds</text>',
    ]
    for number, (service, colour) in enumerate(COLOURS.items()):
        parts.append(f'<text x="{10 + 110 * number}" y="38" fill="{colour}">■ {service}</text>')
    for row, (depth, span) in enumerate(rows):
        y = TOP + ROW * row
        x = NAMES + (span.start_ns - began_ns) * per_ns
        colour = COLOURS.get(span.service, "#666666")
        bar = max((span.end_ns - span.start_ns) * per_ns, 1.0)
        parts += [
            f'<text x="{10 + 10 * depth}" y="{y + 14}">{escape(span.name)}</text>',
            f'<rect x="{x:.1f}" y="{y + 4}" width="{bar:.1f}" height="12" fill="{colour}"/>',
            f'<text x="{x + bar + 4:.1f}" y="{y + 14}" fill="#444444">{_ms(span):.1f}</text>',
        ]
    return "\n".join([*parts, "</svg>", ""])


def _ms(span: CollectedSpan) -> float:
    return (span.end_ns - span.start_ns) / 1e6
