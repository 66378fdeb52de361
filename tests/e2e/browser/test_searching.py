"""The search bench's parameters and commands, and batches of queries."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.stack import Stack

TEXTS = ("The sky is blue.", "Grass is green.", "Snow is white.")


@pytest.fixture(scope="module")
def library(stack: Stack) -> str:
    with stack.client() as client:
        library = client.libraries.create("Shades")
        for text in TEXTS:
            client.documents.create(library.id, text=text)
        return library.id


def test_sliders_are_sent_and_shown_as_commands(page: Page, library: str, stack: Stack) -> None:
    page.goto(f"/#/search/{library}")
    page.get_by_label("Hits (k)").fill("2")
    page.get_by_label("ef", exact=True).fill("60")
    page.get_by_label("Weight of the vectors").fill("10")
    expect(page.get_by_text("50 %")).to_be_visible()
    page.get_by_label("Text").fill("white snow")
    page.get_by_role("button", name="Search").click()
    hybrid = page.locator(".columns section").first
    expect(hybrid.locator(".text")).to_have_count(2)
    hybrid.get_by_text("As a command").click()
    curl, sdk = hybrid.locator("pre").all_text_contents()
    body = json.loads(re.search(r"-d '(.*)'$", curl)[1])  # type: ignore[index]
    assert (body["k"], body["parameters"]) == (2, {"ef": 60})
    assert body["weights"] == {"vector": 0.5, "lexical": 0.5}
    line = sdk.splitlines()[1]
    with stack.client() as client:
        found = eval(line, {"Nalanda": lambda _: client})
    assert found.hits[0].text == "Snow is white."


def test_a_batch_of_queries_shows_the_overlap_of_modes(
    page: Page, library: str, tmp_path: Path
) -> None:
    path = tmp_path / "queries.jsonl"
    path.write_text('{"question": "green grass"}\n\n{"text": "blue"}\nwhite snow\n')
    page.goto(f"/#/search/{library}")
    page.get_by_role("link", name="Many queries from a file").click()
    page.get_by_label("A file with a query").set_input_files(path)
    page.get_by_role("button", name="Search").click()
    overlaps = page.get_by_role("region", name="Hits that two modes have in common")
    expect(overlaps).to_contain_text("mean of 3 queries")
    expect(overlaps.get_by_role("row").nth(2)).to_contain_text("100 %")
    queries = page.get_by_role("region", name="Queries, the least overlap first")
    expect(queries.get_by_role("row")).to_have_count(4)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (" \n", "The file has no query."),
        ('ok\n{"id": 3}\n', "Line 2 is no JSON object with a query."),
        ('{"text": 3}\n', "Line 1 is no JSON object with a query."),
        ("{\n", "Line 1 is no JSON object with a query."),
        ("query\n" * 1001, "The file has 1,001 queries; at most 1,000 are run at once."),
    ],
)
def test_a_file_without_queries_is_named(
    page: Page, library: str, tmp_path: Path, written: str, message: str
) -> None:
    path = tmp_path / "queries.txt"
    path.write_text(written)
    page.goto(f"/#/batch/{library}")
    page.get_by_label("A file with a query").set_input_files(path)
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("alert")).to_have_text(message)
