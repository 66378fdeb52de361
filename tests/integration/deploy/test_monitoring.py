"""The dashboard and the alerts against the metrics that a server really exposes."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from api.main import create_app
from core.indexing.vectors.vector_index import SearchParams
from core.services.background.recall_monitor import SampledSearch
from core.settings import Settings
from tests.helm import CHART

MONITORING = CHART / "monitoring"
RUNBOOK = Path(__file__).parents[3] / "docs/how-to/runbook.md"
ALERTS: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((MONITORING / "alerts.yaml").read_text())["groups"]
    for rule in group["rules"]
]
PANELS: list[dict[str, Any]] = [
    panel
    for panel in json.loads((MONITORING / "dashboard.json").read_text())["panels"]
    if panel["type"] != "row"
]
OF_TARGET = {"job", "instance"}
"""The labels that Prometheus itself gives each series."""

_SELECTOR = re.compile(r"(nalanda_\w+)(?:\{((?:[^\"}]|\"[^\"]*\")*)\})?")
_MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
_GROUPING = re.compile(r"\b(?:by|on|without|ignoring)\s*\(([^)]*)\)")


@dataclass(frozen=True, slots=True)
class Selector:
    """A metric of an expression, and the matchers of its labels: label, operator, value."""

    metric: str
    matchers: tuple[tuple[str, str, str], ...]


def selectors_of(expression: str) -> Iterator[Selector]:
    for found in _SELECTOR.finditer(expression):
        matchers = _MATCHER.findall(found[2] or "")
        yield Selector(found[1], tuple((label, op, value) for label, op, value in matchers))


def grouped_by(expression: str) -> set[str]:
    """Return the labels by which an expression groups."""
    lists = _GROUPING.findall(expression)
    return {label.strip() for labels in lists for label in labels.split(",") if label.strip()}


EXPRESSIONS = [(alert["alert"], alert["expr"]) for alert in ALERTS] + [
    (panel["title"], target["expr"]) for panel in PANELS for target in panel["targets"]
]
IDS = [f"{name}-{index}" for index, (name, _) in enumerate(EXPRESSIONS)]


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    app = create_app(Settings(data_dir=tmp_path_factory.mktemp("routes")))
    return set(app.openapi()["paths"])


@pytest.fixture
async def exposition(tmp_path: Path, postgres_url: str) -> AsyncIterator[str]:
    """Yield the metrics of an app that has answered a search and measured its recall."""
    settings = Settings(
        data_dir=tmp_path, database_url=postgres_url, temporal_address="127.0.0.1:1"
    )
    app = create_app(settings)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost") as api,
    ):
        await api.put("/libraries/l", json={"name": "planar", "dimension": 2})
        chunks = [{"id": "a", "text": "alpha", "embedding": [1, 0]}]
        await api.put("/libraries/l/documents/d", json={"chunks": chunks})
        found = await api.post("/libraries/l/search", json={"embedding": [1, 0], "k": 1})
        assert found.status_code == 200
        _measure_recall(app.state.core)
        yield (await api.get("/metrics")).text


def _measure_recall(core: Any) -> None:
    view = core.catalog.state.views["l"]
    query = np.array([1, 0], np.float32)
    [ranking] = view.search(query[np.newaxis], 1, params=SearchParams())
    core.recall_monitor.measure(SampledSearch(view, query, 1, None, ranking, None))


def labels_by_metric(exposition: str) -> dict[str, dict[str, set[str]]]:
    """Return each metric's labels and their values."""
    labels: dict[str, dict[str, set[str]]] = {}
    for family in text_string_to_metric_families(exposition):
        for sample in family.samples:
            of_metric = labels.setdefault(sample.name, {})
            for label, value in sample.labels.items():
                of_metric.setdefault(label, set()).add(value)
    return labels


async def test_each_metric_of_a_panel_or_alert_exists_with_its_labels(exposition: str) -> None:
    exposed = labels_by_metric(exposition)
    for name, expression in EXPRESSIONS:
        selectors = list(selectors_of(expression))
        assert selectors, name
        known = set(OF_TARGET)
        for selector in selectors:
            assert selector.metric in exposed, f"{name}: {selector.metric}"
            labels = exposed[selector.metric].keys() | OF_TARGET
            known |= labels
            assert {label for label, _, _ in selector.matchers} <= labels, name
        assert grouped_by(expression) <= known, name


async def test_levels_that_are_named_exist(exposition: str) -> None:
    exposed = labels_by_metric(exposition)
    for name, expression in EXPRESSIONS:
        for selector in selectors_of(expression):
            for label, operator, value in selector.matchers:
                if operator == "=" and label == "level":
                    assert value in exposed[selector.metric][label], name


@pytest.mark.parametrize(("name", "expression"), EXPRESSIONS, ids=IDS)
def test_routes_that_are_named_exist(name: str, expression: str, routes: set[str]) -> None:
    for selector in selectors_of(expression):
        for label, operator, value in selector.matchers:
            if label == "route" and operator in {"=", "!="}:
                assert value in routes
            elif label == "route":
                # Prometheus takes braces of a template as they are, too.
                pattern = value.replace("{", r"\{").replace("}", r"\}")
                assert any(re.fullmatch(pattern, route) for route in routes)


def test_selectors_with_braces_in_their_values_are_read() -> None:
    expression = 'rate(nalanda_a{route="/l/{id}", job=~"x"}[5m]) / on (job) nalanda_b'
    assert list(selectors_of(expression)) == [
        Selector("nalanda_a", (("route", "=", "/l/{id}"), ("job", "=~", "x"))),
        Selector("nalanda_b", ()),
    ]
    assert grouped_by(expression) == {"job"}


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_a_panel_says_what_it_shows_by_labels_that_its_query_keeps(panel: dict[str, Any]) -> None:
    assert panel["description"]
    for target in panel["targets"]:
        shown = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
        # A query that does not aggregate keeps the labels of its target.
        assert shown <= grouped_by(target["expr"]) | OF_TARGET


def test_panels_have_ids_of_their_own_and_do_not_overlap() -> None:
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in PANELS)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_each_alert_has_an_entry_in_the_runbook(alert: dict[str, Any]) -> None:
    page, _, anchor = alert["annotations"]["runbook_url"].partition("#")
    assert page == "docs/how-to/runbook.md"
    assert anchor == alert["alert"].lower()
    entries = dict(_entries(RUNBOOK.read_text()))
    for question in ("**Means.**", "**Look at.**", "**Do.**"):
        assert question in entries[alert["alert"]]


def test_the_runbook_has_no_entry_without_an_alert() -> None:
    assert [name for name, _ in _entries(RUNBOOK.read_text())] == [a["alert"] for a in ALERTS]


def _entries(page: str) -> Iterator[tuple[str, str]]:
    """Yield the title and the text of each second-level section that is named as an alert."""
    for section in page.split("\n## ")[1:]:
        title, _, text = section.partition("\n")
        if title.startswith("Nalanda"):
            yield title, text


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_an_alert_shows_only_labels_that_its_expression_keeps(alert: dict[str, Any]) -> None:
    shown = set(re.findall(r"\$labels\.(\w+)", alert["annotations"]["summary"]))
    expression = alert["expr"]
    aggregates = re.search(r"\b(sum|max|min)\b", expression) and "group_right" not in expression
    kept = grouped_by(expression) if aggregates else OF_TARGET | {"library"}
    assert shown <= kept
    assert alert["labels"]["severity"] in {"warning", "critical"}
