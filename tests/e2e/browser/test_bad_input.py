"""The page under hostile texts, lost servers and keys, and more libraries than a list takes."""

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.browser.conftest import open_page
from tests.e2e.stack import Stack

OVERRIDE = "\u202e"
WITHOUT_STORAGE = """
    for (const name of ["sessionStorage", "localStorage"]) {
      Object.defineProperty(window, name, { get() { throw new DOMException("denied"); } });
    }
"""
MANY = 10_000


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Stack]:
    """Yield a stack of which the API alone is started, for a test to end."""
    with Stack(tmp_path) as stack:
        stack.start("api")
        yield stack


def create_library(page: Page, name: str) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Create").click()


def test_an_override_of_the_direction_ends_with_its_text(page: Page, stack: Stack) -> None:
    name = f"Ports{OVERRIDE}stroP"
    with stack.client() as client:
        library = client.libraries.create(name).id
        client.documents.create(library, title=f"Title{OVERRIDE}", text=f"Text{OVERRIDE} abc")
    page.goto(f"/#/libraries/{library}")
    expect(page.get_by_text("Type \u2068Ports")).to_contain_text("\u2069 to delete it")
    expect(page.get_by_role("link", name=f"Title{OVERRIDE}")).to_have_attribute("dir", "auto")


def test_a_text_of_five_megabytes_is_shown_on_demand(page: Page, stack: Stack) -> None:
    text = "A long text. " * (5 * 2**20 // 13)
    with stack.client() as client:
        library = client.libraries.create("Long", dimension=2).id
        client.documents.create(library, chunks=[{"text": text, "embedding": [1, 0]}])
    page.goto(f"/#/chunks/{library}")
    shown = page.locator(".chunks .text")
    expect(shown).to_have_text(text[:20_000].strip())
    page.get_by_role("button", name=f"Show all {len(text):,} characters").click()
    page.wait_for_function(
        "length => document.querySelector('.chunks .text').textContent.length === length",
        arg=len(text),
    )


def test_a_browser_without_storage_asks_for_the_key_again(browser: Browser, tmp_path: Path) -> None:
    with Stack(tmp_path) as stack:
        stack.environments["api"] = {"NALANDA_API_KEYS": "right"}
        stack.start("api")
        with open_page(browser, stack.api_url, may_fail=True, script=WITHOUT_STORAGE) as page:
            for _ in range(2):
                page.goto("/")
                page.get_by_role("textbox", name="API key").fill("right")
                page.get_by_role("button", name="Use the key").click()
                expect(page.get_by_text("No library yet.")).to_be_visible()


def test_a_key_that_expires_costs_no_typed_text(browser: Browser, tmp_path: Path) -> None:
    with Stack(tmp_path) as stack:
        stack.environments["api"] = {"NALANDA_API_KEYS": "old"}
        stack.start("api")
        with open_page(browser, stack.api_url, may_fail=True) as page:
            page.goto("/")
            page.get_by_role("textbox", name="API key").fill("old")
            page.get_by_role("button", name="Use the key").click()
            expect(page.get_by_text("No library yet.")).to_be_visible()
            stack.stop("api")
            stack.environments["api"] = {"NALANDA_API_KEYS": "new"}
            stack.start("api")
            create_library(page, "kept")
            expect(page.get_by_role("dialog")).to_be_visible()
            page.get_by_role("textbox", name="API key").fill("new")
            page.get_by_role("button", name="Use the key").click()
            expect(page.get_by_label("Name")).to_have_value("kept")
            page.get_by_role("button", name="Create").click()
            expect(page.get_by_role("heading", name="kept")).to_be_visible()


def test_a_server_that_goes_away_and_comes_back(browser: Browser, server: Stack) -> None:
    with open_page(browser, server.api_url, may_fail=True) as page:
        page.goto("/")
        expect(page.get_by_text("No library yet.")).to_be_visible()
        server.kill("api")
        create_library(page, "typed")
        expect(page.get_by_role("alert")).to_contain_text("The server does not answer.")
        expect(page.get_by_label("Name")).to_have_value("typed")
        page.get_by_role("link", name="Server").click()
        expect(page.get_by_role("alert")).to_contain_text("The server does not answer.")
        server.start("api")
        expect(page.get_by_text("Ready", exact=True)).to_be_visible()
        server.kill("api")
        expect(page.get_by_role("alert")).to_contain_text("The server does not answer.")
        server.start("api")
        expect(page.get_by_text("Ready", exact=True)).to_be_visible()


def test_a_position_that_jumps_back_is_noticed(
    browser: Browser, server: Stack, tmp_path: Path
) -> None:
    with open_page(browser, server.api_url, may_fail=True) as page:
        page.goto("/")
        expect(page.get_by_text("No library yet.")).to_be_visible()
        server.stop("api")
        shutil.copytree(tmp_path / "data", tmp_path / "backup")
        server.start("api")
        create_library(page, "gone")
        expect(page.get_by_role("heading", name="gone")).to_be_visible()
        server.stop("api")
        shutil.rmtree(tmp_path / "data")
        (tmp_path / "backup").rename(tmp_path / "data")
        server.start("api")
        page.get_by_role("link", name="Libraries").click()
        expect(page.get_by_text("The server was at position 1 and is at 0 now")).to_be_visible()
        expect(page.get_by_text("No library yet.")).to_be_visible()
        page.get_by_role("button", name="Dismiss").click()
        expect(page.get_by_text("The server was at position")).to_have_count(0)


def test_an_address_that_was_cut_off_shows_the_libraries(page: Page) -> None:
    page.goto("/#/chunks/%E0%A4%A")
    expect(page.get_by_role("heading", name="Libraries", exact=True)).to_be_visible()


def test_a_library_among_ten_thousand_is_found(browser: Browser, server: Stack) -> None:
    with httpx.Client(base_url=server.api_url, timeout=60, trust_env=False) as client:

        def create(number: int) -> None:
            body = {"name": f"library {number}"}
            client.put(f"/libraries/l{number}", json=body).raise_for_status()

        with ThreadPoolExecutor(16) as pool:
            list(pool.map(create, range(MANY)))
    with open_page(browser, server.api_url) as page:
        page.goto("/")
        expect(page.get_by_role("row")).to_have_count(51)
        page.get_by_label("Open a library").fill(f"library {MANY - 1}")
        page.get_by_role("button", name="Open", exact=True).click()
        expect(page.get_by_role("heading", name=f"library {MANY - 1}")).to_be_visible()
        page.get_by_role("link", name="Search it").click()
        expect(page.get_by_label("Library")).to_have_value(f"l{MANY - 1}")
        page.get_by_label("Text").fill("sea")
        page.get_by_role("button", name="Search").click()
        expect(page.get_by_text("No hits.")).to_have_count(4)
