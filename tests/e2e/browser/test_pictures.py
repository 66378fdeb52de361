"""The documentation's pictures show the page as it is."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter
from playwright.sync_api import Browser

from tests.e2e.browser.conftest import open_page
from tests.e2e.browser.pictures import FOLDER, VIEWS, fill, take
from tests.e2e.stack import Stack

TOLERANCE = 0.06
"""The mean difference of brightness: fonts, times and ids differ from machine to machine."""
BLUR_PX = 8


def _difference(one: Image.Image, other: Image.Image) -> float:
    assert one.size == other.size
    blurred = [
        np.asarray(each.convert("L").filter(ImageFilter.GaussianBlur(BLUR_PX)), np.float64)
        for each in (one, other)
    ]
    return float(np.abs(blurred[0] - blurred[1]).mean() / 255)


def test_each_view_looks_like_its_picture(browser: Browser, tmp_path: Path) -> None:
    with Stack(tmp_path) as stack:
        stack.start_all()
        with stack.client() as client:
            fill(client)
        with open_page(browser, stack.api_url) as page:
            differences = {
                view: _difference(take(page, view), Image.open(FOLDER / f"{view}.webp"))
                for view in VIEWS
            }
    assert {view: d for view, d in differences.items() if d > TOLERANCE} == {}
    views = {view: Image.open(FOLDER / f"{view}.webp") for view in VIEWS}
    # The tolerance tells the views apart.
    assert all(
        _difference(views[one], views[other]) > differences[one]
        for one in VIEWS
        for other in VIEWS
        if one != other
    )


def test_the_pictures_are_small() -> None:
    sizes = {path.name: path.stat().st_size for path in FOLDER.iterdir()}
    assert set(sizes) == {f"{view}.webp" for view in VIEWS}
    assert sum(sizes.values()) < 1_000_000
