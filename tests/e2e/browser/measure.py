"""Figures of the page in Chromium: `python -m tests.e2e.browser.measure`.

The weight, the first paint of ten loads, and the frames a second of a map of 100,000 points that
is zoomed all the time.
"""

import statistics
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Route, expect

from tests.browser import open_browser
from tests.e2e.browser.conftest import open_page
from tests.e2e.browser.test_map import MANY, large_map
from tests.e2e.stack import Stack

LOADS = 10
FRAMES = """async (seconds) => {
    const canvas = document.querySelector("canvas.map");
    const times = [];
    const end = performance.now() + seconds * 1000;
    while (performance.now() < end) {
        const deltaY = times.length % 20 < 10 ? 40 : -40;
        canvas.dispatchEvent(new WheelEvent("wheel", { deltaY, cancelable: true }));
        await new Promise(requestAnimationFrame);
        times.push(performance.now());
    }
    return times;
}"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder)) as stack:
        stack.start("api")
        with open_browser() as browser:
            _loads(browser, stack.api_url)
            with stack.client() as client:
                library = client.libraries.create("Mapped", dimension=2).id
            with open_page(browser, stack.api_url) as page:
                _frames(page, library)


def _loads(browser: Browser, url: str) -> None:
    paints, sizes = [], []
    for _ in range(LOADS):
        with open_page(browser, url) as page:
            page.goto("/")
            expect(page.get_by_role("heading", name="Libraries", exact=True)).to_be_visible()
            measured: dict[str, Any] = page.evaluate("""() => ({
                paint: performance.getEntriesByName("first-contentful-paint")[0].startTime,
                size: performance.getEntriesByType("resource")
                    .concat(performance.getEntriesByType("navigation"))
                    .filter(({ name }) => !new URL(name).pathname.startsWith("/libraries"))
                    .reduce((sum, { decodedBodySize }) => sum + decodedBodySize, 0),
            })""")
            paints.append(measured["paint"])
            sizes.append(measured["size"])
    print(f"weight before data: {max(sizes) / 1000:.0f} KB")
    print(f"first contentful paint, median of {LOADS}: {statistics.median(paints):.0f} ms")


def _frames(page: Page, library: str, seconds: float = 5) -> None:
    body = large_map()

    def answer(route: Route) -> None:
        route.fulfill(body=body, content_type="application/json")

    page.route("**/map", answer)
    page.goto(f"/#/map/{library}")
    expect(page.locator("canvas")).to_have_attribute("data-drawn", str(MANY))
    times = page.evaluate(FRAMES, seconds)
    gaps = [after - before for before, after in pairwise(times)]
    print(f"{MANY:,} points: {len(gaps) * 1000 / sum(gaps):.0f} frames a second,", end=" ")
    print(f"the slowest tenth of frames over {sorted(gaps)[len(gaps) * 9 // 10]:.0f} ms")


if __name__ == "__main__":
    main()
