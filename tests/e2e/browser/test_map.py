"""The map of a library's embeddings."""

import json
from base64 import b64encode
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.stack import Stack

MANY = 100_000
INSET_PX = 10
"""The corners of the map are round."""


@pytest.fixture(scope="module")
def library(stack: Stack) -> str:
    """Return the id of a library of two groups of vectors, a copy and an outlier."""
    vectors: list[tuple[int, tuple[float, ...]]]
    vectors = [(100 + i, (1, 0.01 * i, 0)) for i in range(20)]
    vectors += [(200 + i, (0, 1, 0.01 * i)) for i in range(20)]
    vectors += [(200, (0, 1, 0.1)), (300, (-1, -1, -1))]
    chunks: list[Any] = [
        {
            "id": f"c{n}",
            "text": f"Text {n}",
            "embedding": vector,
            "metadata": {"group": year // 100},
        }
        for n, (year, vector) in enumerate(vectors)
    ]
    with stack.client() as client:
        library = client.libraries.create("Mapped", dimension=3)
        client.documents.create(library.id, title="Mapped", chunks=chunks)
        return library.id


def test_the_map_shows_all_chunks_coloured_by_a_field(page: Page, library: str) -> None:
    page.goto(f"/#/libraries/{library}")
    page.get_by_role("link", name="See its map").click()
    expect(page.get_by_text("42 of 42 chunks at position")).to_be_visible()
    expect(page.locator("canvas")).to_have_attribute("data-drawn", "42")
    page.get_by_label("Colour by a field").fill("group")
    page.get_by_role("button", name="Colour").click()
    expect(page.get_by_role("list", name="Colours").get_by_role("listitem")).to_have_text(
        ["2 (21)", "1 (20)", "3 (1)"]
    )


def test_the_report_names_copies_and_outliers(page: Page, library: str) -> None:
    page.goto(f"/#/map/{library}")
    outliers = page.get_by_role("region", name="Outliers").get_by_role("row")
    expect(outliers.nth(1)).to_contain_text("c41")
    expect(page.get_by_role("region", name="Near-duplicates")).to_contain_text("1.0000")
    expect(page.get_by_text("No vector is degenerate.")).to_be_visible()
    outliers.nth(1).get_by_role("link", name="c41").click()
    expect(page.locator(".chunks .text")).to_have_text(["Text 41"])


def test_a_lasso_becomes_a_filter(page: Page, library: str) -> None:
    page.goto(f"/#/map/{library}")
    page.get_by_role("button", name="Lasso").click()
    canvas = page.locator("canvas[data-drawn]")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    corners = [(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)]
    page.mouse.move(box["x"] + INSET_PX, box["y"] + INSET_PX)
    page.mouse.down()
    for right, down in corners:
        x = box["x"] + INSET_PX + right * (box["width"] - 2 * INSET_PX)
        y = box["y"] + INSET_PX + down * (box["height"] - 2 * INSET_PX)
        page.mouse.move(x, y, steps=3)
    page.mouse.up()
    expect(page.get_by_text("42 chunks are selected.")).to_be_visible()
    page.get_by_role("link", name="Browse them by a filter").click()
    expect(page.locator(".chunks .text")).to_have_count(42)
    expect(page.get_by_label("Filter, as JSON")).to_have_value(
        json.dumps({"field": "chunk.id", "op": "in", "value": [f"c{n}" for n in range(42)]})
        .replace(", ", ",")
        .replace(": ", ":")
    )


def test_the_keyboard_moves_zooms_and_selects(page: Page, library: str) -> None:
    page.goto(f"/#/map/{library}")
    canvas = page.locator("canvas[data-drawn]")
    select = page.get_by_role("button", name="Select what is in view")
    select.press("Enter")
    expect(page.get_by_text("42 chunks are selected.")).to_be_visible()
    for _ in range(6):
        canvas.press("ArrowRight")
    for _ in range(8):
        canvas.press("+")
    select.press("Enter")
    expect(page.get_by_text("42 chunks are selected.")).to_have_count(0)
    canvas.press("Escape")
    expect(page.get_by_text("chunks are selected.")).to_have_count(0)


def test_a_query_is_drawn_in_with_its_hits(page: Page, stack: Stack) -> None:
    with stack.client() as client:
        library = client.libraries.create("Seas").id
        for text in ("The sea is salt.", "The lake is sweet.", "A hill is green."):
            client.documents.create(library, text=text)
    page.goto(f"/#/map/{library}")
    expect(page.locator("canvas[data-drawn]")).to_be_visible()
    page.get_by_label("Query").fill("salt sea")
    page.get_by_role("button", name="Draw it in").click()
    expect(page.locator(".hits .text").first).to_have_text("The sea is salt.")


def test_an_empty_library_says_so(page: Page, stack: Stack) -> None:
    with stack.client() as client:
        library = client.libraries.create("Nothing yet").id
    page.goto(f"/#/map/{library}")
    expect(page.get_by_text("The library has no vector yet.")).to_be_visible()


def test_an_unknown_field_is_named(refused_page: Page, library: str) -> None:
    refused_page.goto(f"/#/map/{library}")
    refused_page.get_by_label("Colour by a field").fill("chunk.colour")
    refused_page.get_by_role("button", name="Colour").click()
    expect(refused_page.get_by_role("alert")).to_contain_text("There is no such field.")


def large_map() -> str:
    """Return the response of a map of `MANY` points in eight groups."""
    generator = np.random.default_rng(1)
    centres = generator.standard_normal((8, 2)) * 3
    groups = generator.integers(0, 8, MANY)
    points = (centres[groups] + generator.standard_normal((MANY, 2))).astype("<f4")
    x, y = (b64encode(points[:, axis].tobytes()).decode() for axis in (0, 1))
    health = {"probed": 0, "near_duplicates": [], "outliers": [], "degenerate": []}
    return json.dumps(
        {
            "state": "ready", "position": 7, "total": MANY, "explained": [0.3, 0.2], "query": None,
            "health": health,
            "points": {
                "chunk_ids": [f"c{i}" for i in range(MANY)], "x": x, "y": y,
                "values": [f"group {i}" for i in range(8)],
                "codes": b64encode(groups.astype("<i4").tobytes()).decode(),
            },
        }
    )  # fmt: skip


def test_a_hundred_thousand_points_are_drawn_and_selected(page: Page, library: str) -> None:
    body = large_map()

    def answer(route: Route) -> None:
        route.fulfill(body=body, content_type="application/json")

    page.route("**/map", answer)
    page.goto(f"/#/map/{library}")
    expect(page.locator("canvas")).to_have_attribute("data-drawn", str(MANY))
    for _ in range(5):
        page.get_by_role("button", name="Zoom in").click()
    for _ in range(9):
        page.get_by_role("button", name="Zoom out").click()
    page.get_by_role("button", name="Select what is in view").click()
    expect(page.get_by_text("100,000 chunks are selected. A filter takes")).to_be_visible()
