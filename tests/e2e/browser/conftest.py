"""A stack, and a browser whose pages fail a test for errors and for calls of other hosts."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect

from tests.browser import open_browser
from tests.e2e.stack import Stack

TIMEOUT_MS = 120_000

expect.set_options(timeout=TIMEOUT_MS)


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("browser")) as stack:
        stack.start_all()
        yield stack


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with open_browser() as browser:
        yield browser


@pytest.fixture
def page(stack: Stack, browser: Browser) -> Iterator[Page]:
    """Yield a page of the stack's server, in a profile of its own."""
    with open_page(browser, stack.api_url) as page:
        yield page


@pytest.fixture
def refused_page(stack: Stack, browser: Browser) -> Iterator[Page]:
    """Yield a page some of whose calls the server refuses, which Chromium logs as errors."""
    with open_page(browser, stack.api_url, may_fail=True) as page:
        yield page


@contextmanager
def open_page(
    browser: Browser, url: str, *, may_fail: bool = False, script: str = "", locale: str = "en-GB"
) -> Iterator[Page]:
    """Open a page in a profile of its own; fail for its errors and for calls of other hosts.

    `may_fail`: calls may fail. `script`: runs before the page's own.
    """
    errors: list[str] = []
    with browser.new_context(base_url=url, locale=locale) as context:
        context.set_default_timeout(TIMEOUT_MS)
        if script:
            context.add_init_script(script)
        page = context.new_page()

        def check_message(message: ConsoleMessage) -> None:
            is_call = message.text.startswith("Failed to load resource")
            if message.type == "error" and not (may_fail and is_call):
                errors.append(message.text)

        def check_request(request: Request) -> None:
            if not request.url.startswith(url):
                errors.append(request.url)

        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", check_message)
        page.on("request", check_request)
        yield page
    assert errors == []


@pytest.fixture(scope="package")
def ids(stack: Stack) -> tuple[str, str]:
    """Return the ids of a library and of its document."""
    with stack.client() as client:
        library = client.libraries.create(name="Letters")
        text = "The first letter is alpha."
        return library.id, client.documents.create(library.id, title="Alpha", text=text).id
