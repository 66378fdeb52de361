"""Each view in both colour schemes and on a small screen, under axe-core."""

from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ViewportSize, expect

from tests.e2e.stack import Stack

VIEWS = (
    "libraries", "libraries/{}", "libraries/{}/{}", "chunks/{}", "ask", "search", "batch", "map/{}",
    "ingest", "server",
)  # fmt: skip
SIZE: ViewportSize = {"width": 360, "height": 800}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_view_has_a_finding(
    stack: Stack, browser: Browser, ids: tuple[str, str], scheme: Literal["light", "dark"]
) -> None:
    with browser.new_context(
        base_url=stack.api_url, color_scheme=scheme, viewport=SIZE, bypass_csp=True
    ) as context:
        page = context.new_page()
        for view in VIEWS:
            page.goto("/#/" + view.format(*ids))
            expect(page.locator("main h1")).to_be_visible()
            page.wait_for_load_state("networkidle")
            for add in page.get_by_role("button", name="Add a condition").all():
                add.click()
            for edit in page.get_by_role("button", name="Edit ").all():
                edit.click()
                expect(page.get_by_role("button", name="Save")).to_be_visible()
            results = Axe().run(page)
            assert results.violations_count == 0, results.generate_report()
            width = page.evaluate("document.documentElement.scrollWidth")
            assert width <= SIZE["width"], f"{view} is {width} pixels wide"
