"""A server with API keys, which the page asks for."""

from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.e2e.stack import Stack


def test_the_page_asks_for_a_key_and_keeps_it_for_the_tab(browser: Browser, tmp_path: Path) -> None:
    with Stack(tmp_path) as stack, browser.new_context(base_url=stack.api_url) as context:
        stack.environments["api"] = {"NALANDA_API_KEYS": "right"}
        stack.start("api")
        page = context.new_page()
        page.goto("/")
        for key in ("wrong", "right"):
            page.get_by_role("textbox", name="API key").fill(key)
            page.get_by_role("button", name="Use the key").click()
        expect(page.get_by_text("No library yet.")).to_be_visible()
        page.reload()
        expect(page.get_by_text("No library yet.")).to_be_visible()
        assert page.evaluate("localStorage.length") == 0
