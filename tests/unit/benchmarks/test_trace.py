"""The drawing of a trace: each span once, below its parent."""

from xml.etree import ElementTree

from benchmarks.trace import draw, walk
from tests.collector import CollectedSpan


def span(name: str, id_: str, parent_id: str, start_ns: int, end_ns: int) -> CollectedSpan:
    return CollectedSpan(
        service="nalanda-api",
        name=name,
        kind="server",
        trace_id="t",
        span_id=id_,
        parent_id=parent_id,
        start_ns=start_ns,
        end_ns=end_ns,
        attributes={},
        failed=False,
    )


SPANS = [
    span("late <child>", "c", "a", 60_000_000, 70_000_000),
    span("root", "a", "of-the-client", 0, 100_000_000),
    span("early", "b", "a", 10_000_000, 20_000_000),
    span("below", "d", "b", 11_000_000, 12_000_000),
]


def test_children_follow_their_parents_by_their_starts() -> None:
    order = [(depth, each.name) for depth, each in walk(SPANS)]
    assert order == [(0, "root"), (1, "early"), (2, "below"), (1, "late <child>")]


def test_each_span_has_a_name_and_a_bar() -> None:
    drawn = ElementTree.fromstring(draw(SPANS))
    texts = [element.text for element in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert {"root", "early", "below", "late <child>", "100.0"} <= set(texts)
    bars = list(drawn.iter("{http://www.w3.org/2000/svg}rect"))[1:]
    assert len(bars) == len(SPANS)
