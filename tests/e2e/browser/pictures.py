"""The documentation's pictures of the page; `python -m tests.e2e.browser.pictures` makes them."""

import io
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Page, expect

from nalanda import Nalanda
from tests.browser import open_browser
from tests.e2e.browser.conftest import open_page
from tests.e2e.stack import Stack
from tests.unit.core.documents.pdf.files import HARBOUR, MONSOON, PEPPER, paragraph, story

FOLDER = Path(__file__).parents[3] / "docs" / "pictures"
SIZE = {"width": 1120, "height": 760}
QUALITY = 70
GROUPS = ("harbours", "spices", "winds", "monasteries")
LIBRARY, MAPPED = "travels", "colours"


def fill(client: Nalanda) -> None:
    """Create the libraries that the pictures show."""
    client.libraries.replace(LIBRARY, "Travels", description="Reports of harbours and markets")
    client.libraries.replace(MAPPED, "Four groups", dimension=8)
    generator = np.random.default_rng(7)
    centres = generator.standard_normal((4, 8)) * 2
    rows: list[Any] = [
        {
            "id": f"{GROUPS[i % 4]}-{i}",
            "text": f"A note on {GROUPS[i % 4]}, number {i}.",
            "embedding": (centres[i % 4] + generator.standard_normal(8)).tolist(),
            "metadata": {"topic": GROUPS[i % 4], "year": 400 + i % 900},
        }
        for i in range(900)
    ]
    client.documents.replace(MAPPED, "notes", title="Notes", chunks=rows)
    pdf = story(*(paragraph(text) for text in (HARBOUR, PEPPER, MONSOON)))
    handle = client.ingestions.start(LIBRARY, [{"source": "ports.pdf", "content": pdf}])
    assert client.ingestions.wait(handle.workflow_id, timeout_s=120).files.added == 1


def _libraries(page: Page) -> None:
    page.goto("/#/libraries")
    expect(page.get_by_role("link", name="Travels")).to_be_visible()


def _chunks(page: Page) -> None:
    written = '{"and":[{"field":"topic","op":"in","value":["winds","spices"]},'
    page.goto(f"/#/chunks/{MAPPED}")
    page.get_by_label("Filter, as JSON").fill(
        written + '{"field":"year","op":"between","value":[450,500]}]}'
    )
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".chunks .text").first).to_contain_text("A note on")


def _search(page: Page) -> None:
    page.goto(f"/#/search/{LIBRARY}")
    page.get_by_label("Text").fill("price of pepper")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_text("As a command")).to_have_count(4)


def _ask(page: Page) -> None:
    page.goto(f"/#/ask/in/{LIBRARY}")
    page.get_by_label("Question", exact=True).fill("How deep is the harbour at the mole?")
    page.get_by_role("button", name="Ask").click()
    expect(page.locator("canvas.page")).to_be_visible()
    page.locator(".answer").scroll_into_view_if_needed()


def _conversation(page: Page) -> None:
    page.goto(f"/#/ask/in/{LIBRARY}")
    page.get_by_label("Begin a conversation").check()
    for number, question in enumerate(("What is the price of pepper?", "Who sets it?")):
        page.get_by_label("Question", exact=True).fill(question)
        page.get_by_role("button", name="Ask", exact=True).click()
        expect(page.locator("canvas.page").nth(number)).to_be_visible()
    page.reload()
    expect(page.locator("canvas.page")).to_have_count(1)
    page.get_by_role("heading", name="Conversation").scroll_into_view_if_needed()


def _map(page: Page) -> None:
    page.goto(f"/#/map/{MAPPED}")
    page.get_by_label("Colour by a field").fill("topic")
    page.get_by_role("button", name="Colour").click()
    expect(page.get_by_role("list", name="Colours").get_by_role("listitem")).to_have_count(4)
    expect(page.locator("canvas[data-drawn]")).to_be_visible()


def _server(page: Page) -> None:
    page.goto("/#/server")
    expect(page.get_by_text("Ready", exact=True)).to_be_visible()


VIEWS: Mapping[str, Callable[[Page], None]] = {
    "libraries": _libraries,
    "chunks": _chunks,
    "search": _search,
    "ask": _ask,
    "conversation": _conversation,
    "map": _map,
    "server": _server,
}


def take(page: Page, view: str) -> Image.Image:
    """Return the picture of a view."""
    page.set_viewport_size({"width": SIZE["width"], "height": SIZE["height"]})
    VIEWS[view](page)
    page.mouse.move(0, 0)
    page.evaluate("document.fonts.ready.then(() => document.activeElement?.blur())")
    return Image.open(io.BytesIO(page.screenshot(animations="disabled", caret="hide")))


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder)) as stack:
        stack.start_all()
        with stack.client() as client:
            fill(client)
        with open_browser() as browser, open_page(browser, stack.api_url) as page:
            for view in VIEWS:
                path = FOLDER / f"{view}.webp"
                take(page, view).convert("RGB").save(path, quality=QUALITY, method=6)
                print(f"{path.name}: {path.stat().st_size / 1024:.0f} KB", flush=True)


if __name__ == "__main__":
    main()
