"""The documentation's links resolve, and the reference is complete."""

import re
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

import pytest

from api.main import create_app
from cli.application import COMMANDS
from cli.commands.library import app as library_app
from core.settings import Settings, variables_of
from tests.unit.docs.pages import PAGES, ROOT

REFERENCE = ROOT / "docs" / "reference"

_CODE = re.compile(r"^```.*?^```|^ {4}.*?$|`[^`\n]*`", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def links(page: Path) -> Iterator[str]:
    """Yield the relative links outside of code."""
    for target in _LINK.findall(_CODE.sub("", page.read_text())):
        if not re.match(r"[a-z]+:", target):
            yield target


def anchors(page: Path) -> set[str]:
    """Return the anchors of headings: in lower case, hyphens for spaces, no punctuation."""
    headings = _HEADING.findall(_FENCE.sub("", page.read_text()))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken(page: Path) -> Iterator[str]:
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            yield link


def missing(names: Iterable[str], *pages: str) -> list[str]:
    """Return the names that occur on none of the reference's pages, in code."""
    text = "\n".join((REFERENCE / page).read_text() for page in pages)
    return [name for name in names if not re.search(rf"(`|\s){re.escape(name)}(?![\w/])", text)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    assert list(broken(page)) == []


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# A b, `c`!\n[1](#a-b-c) [2](#b) [3](page.md) [4](no.md) `[5](no.md)` [6](x:y)\n"
    )
    assert list(broken(page)) == ["#b", "no.md"]


def test_what_the_reference_leaves_out_is_found() -> None:
    names = ["GET /query", "GET /quer", "PUT /query", "GET /query/{workflow_id}/event"]
    assert missing(names, "questions.md") == names[1:]


def test_every_page_is_in_the_index() -> None:
    index = ROOT / "docs" / "README.md"
    listed = {(index.parent / link.partition("#")[0]).resolve() for link in links(index)}
    pages = {page for page in (ROOT / "docs").rglob("*.md") if page != index}
    assert {page for page in pages if not listed & {page, page.parent / "README.md"}} == set()


def test_every_cell_of_the_comparison_has_a_source() -> None:
    page = (ROOT / "docs" / "explanation" / "comparison.md").read_text()
    others = page.partition("## Measured here")[0]
    rows = re.findall(r"^\| \w[^|]*\|(.+)\|$", others, re.MULTILINE)
    cells = [cell.strip() for row in rows for cell in row.split("|")]
    assert len(cells) > 80
    assert {cell for cell in cells if "](" not in cell} == {"not found", "none", "–"}


def test_every_route_is_in_the_reference() -> None:
    paths = create_app(Settings(_env_file=None)).openapi()["paths"]
    routes = [f"{method.upper()} {path}" for path, methods in paths.items() for method in methods]
    assert len(routes) > 30
    assert missing(routes, "rest.md", "questions.md", "ingestion.md") == []


def test_every_setting_is_in_the_reference() -> None:
    variables = chain.from_iterable(map(variables_of, Settings.model_fields))
    assert missing(variables, "settings.md") == []


def test_the_defaults_of_settings_are_those_of_the_reference() -> None:
    """Compare defaults that are values; others, such as "the leader", are words."""
    text = (REFERENCE / "settings.md").read_text()
    table = dict(re.findall(r"^\| `(\w+)` \| `([^`]*)` \|", text, re.MULTILINE))
    defaults = {
        variable: field.default
        for name, field in Settings.model_fields.items()
        for variable in variables_of(name)
        if field.default not in (None, ())
    }
    shown = {name: str(value).removesuffix(".0") for name, value in defaults.items()}
    wrong = {
        name: value for name, value in shown.items() if table.get(name, "").lower() != value.lower()
    }
    assert wrong == {}


def test_every_command_is_in_the_reference() -> None:
    below = [
        f"library {command.name or command.callback.__name__}"
        for command in library_app.registered_commands
        if command.callback
    ]
    names = [name for name in COMMANDS if name != "library"] + below
    assert missing([f"nalanda {name}" for name in names], "command-line.md") == []
