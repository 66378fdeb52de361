"""A page in Chromium, used and recorded."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.browser import open_browser
from video.drawing import STAGE
from video.film import Clip

if TYPE_CHECKING:
    from playwright.sync_api import Page

_TYPED_AT_ONCE = 3


class Recorded:
    """A page of which each step returns the clip of what was to be seen meanwhile."""

    def __init__(self, page: "Page") -> None:
        self.page = page

    def show(self, seconds: float = 0.0, *, after: Callable[[], object] = lambda: None) -> Clip:
        """Do something, and record for some seconds."""
        after()
        began = time.monotonic()
        return self._record(lambda: time.monotonic() - began >= seconds)

    def wait(self, selector: str, timeout_s: float = 120) -> Clip:
        """Record until an element is to be seen.

        Raises:
            TimeoutError: it is not, in this time.
        """
        began = time.monotonic()

        def is_there() -> bool:
            if time.monotonic() - began > timeout_s:
                raise TimeoutError(f"There is no {selector} on {self.page.url}.")
            return self.page.locator(selector).first.is_visible()

        return self._record(is_there)

    def type(self, selector: str, text: str) -> Clip:
        """Type into a field."""
        field = self.page.locator(selector).first
        field.click()
        parts = iter(range(0, len(text), _TYPED_AT_ONCE))

        def is_typed() -> bool:
            start = next(parts, None)
            if start is not None:
                field.press_sequentially(text[start : start + _TYPED_AT_ONCE])
            return start is None

        return self._record(is_typed)

    def _record(self, is_done: Callable[[], bool]) -> Clip:
        began = time.monotonic()
        clip = [(0.0, self.page.screenshot())]
        while not is_done():
            clip.append((time.monotonic() - began, self.page.screenshot()))
        clip.append((time.monotonic() - began, self.page.screenshot()))
        return clip


@contextmanager
def open_page() -> Iterator[Recorded]:
    """Open an empty page of the stage's size."""
    with open_browser() as browser:
        page = browser.new_page(
            viewport={"width": STAGE[0], "height": STAGE[1]},
            color_scheme="dark",
            reduced_motion="reduce",
        )
        yield Recorded(page)
