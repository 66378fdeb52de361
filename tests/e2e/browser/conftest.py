"""A stack, and a browser whose pages fail a test for errors and for calls of other hosts."""

from collections.abc import Iterator

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
    errors: list[str] = []
    with browser.new_context(base_url=stack.api_url) as context:
        context.set_default_timeout(TIMEOUT_MS)
        page = context.new_page()

        def check_message(message: ConsoleMessage) -> None:
            if message.type == "error":
                errors.append(message.text)

        def check_request(request: Request) -> None:
            if not request.url.startswith(stack.api_url):
                errors.append(request.url)

        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", check_message)
        page.on("request", check_request)
        yield page
    assert errors == []
