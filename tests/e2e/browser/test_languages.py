"""The page in German, and from right to left."""

from playwright.sync_api import Browser, expect

from tests.e2e.browser.conftest import open_page
from tests.e2e.browser.test_accessibility import SIZE, VIEWS
from tests.e2e.stack import Stack


def test_a_german_browser_gets_german(stack: Stack, browser: Browser) -> None:
    with open_page(browser, stack.api_url, locale="de-AT") as page:
        page.goto("/")
        expect(page.locator("html")).to_have_attribute("lang", "de")
        expect(page.get_by_role("heading", name="Bibliotheken", exact=True)).to_be_visible()
        expect(page.get_by_role("button", name="Anlegen")).to_be_visible()
        page.get_by_role("link", name="Suche").click()
        expect(page).to_have_title("Suche · Nalanda")


def test_a_language_without_a_catalogue_gets_english(stack: Stack, browser: Browser) -> None:
    with open_page(browser, stack.api_url, locale="is-IS") as page:
        page.goto("/")
        expect(page.locator("html")).to_have_attribute("lang", "en")
        expect(page.get_by_role("heading", name="Libraries", exact=True)).to_be_visible()


def test_views_fit_from_right_to_left(stack: Stack, browser: Browser, ids: tuple[str, str]) -> None:
    with open_page(browser, stack.api_url) as page:
        page.set_viewport_size(SIZE)
        for view in VIEWS:
            page.goto("/#/" + view.format(*ids))
            expect(page.locator("main h1")).to_be_visible()
            page.evaluate("document.documentElement.dir = 'rtl'")
            page.wait_for_load_state("networkidle")
            overflow = page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert overflow <= 0, view
