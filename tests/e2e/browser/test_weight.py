"""The bytes that the browser loads before any data."""

from playwright.sync_api import Page, expect

MOST_BYTES = 300_000


def test_the_page_weighs_little_before_data(page: Page) -> None:
    page.goto("/")
    expect(page.get_by_role("heading", name="Libraries", exact=True)).to_be_visible()
    loaded = page.evaluate("""() => performance.getEntriesByType("resource")
        .concat(performance.getEntriesByType("navigation"))
        .filter(({ name }) => !new URL(name).pathname.startsWith("/libraries"))
        .map(({ name, decodedBodySize }) => [new URL(name).pathname, decodedBodySize])""")
    assert {"/", "/web/main.js", "/web/style.css"} <= {path for path, _ in loaded}
    assert 0 < sum(size for _, size in loaded) <= MOST_BYTES, loaded
