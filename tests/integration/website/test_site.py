"""The documentation site builds strictly, is complete, and loads nothing from another host."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from threading import Thread
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe

import nalanda
from api.main import create_app
from cli.application import COMMANDS
from cli.commands.docs import site_server
from cli.processes.ports import HOST, listen, port_of
from core.settings import Settings
from tests.browser import open_browser

ROOT = Path(__file__).parents[3]
TIMEOUT_MS = 120_000
KINDS_OF_PAGES = (
    "index.html",
    "docs/tutorial.html",
    "docs/how-to/use-the-page.html",
    "docs/reference/rest.html",
)
_FOREIGN = re.compile(r"(\w+:)?//", re.IGNORECASE)
_LOADED_BY_CSS = re.compile(r"(?:url\(|@import)\s*[\"']?((?:\w+:)?//[^)\"';]+)", re.IGNORECASE)


def build(config: Path, site: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", str(config)]
    return subprocess.run(
        [*command, "-d", str(site)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the site, which builds without a warning."""
    folder = tmp_path_factory.mktemp("site")
    built = build(ROOT / "mkdocs.yml", folder)
    assert built.returncode == 0, built.stderr
    return folder


class Loaded(HTMLParser):
    """The URLs that a browser requests when it shows a page; links are none."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.urls: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            loads = name in {"src", "srcset", "poster"} or (tag == "link" and name == "href")
            if loads and value:
                self.urls.append(value)


def foreign(text: str) -> list[str]:
    return [url for url in Loaded(text).urls if _FOREIGN.match(url)]


def test_what_a_page_loads_is_found() -> None:
    page = '<a href="https://a"></a><link href="//b"><img src="http://c"><script src="d.js">'
    assert foreign(page) == ["//b", "http://c"]
    assert _LOADED_BY_CSS.findall("a{b:url('//c/d')}@import \"https://e\";") == [
        "//c/d",
        "https://e",
    ]


def test_no_page_loads_from_another_host(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 80
    assert {page.name: urls for page in pages if (urls := foreign(page.read_text()))} == {}


def test_no_style_sheet_loads_from_another_host(site: Path) -> None:
    sheets = list(site.rglob("*.css"))
    assert sheets
    assert [_LOADED_BY_CSS.findall(sheet.read_text()) for sheet in sheets] == [[]] * len(sheets)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_browser_finds_pages_and_calls_no_other_host(
    site: Path, scheme: Literal["light", "dark"]
) -> None:
    faults: list[str] = []
    with serve(site) as url, open_browser() as browser:
        page = browser.new_page(color_scheme=scheme)
        page.set_default_timeout(TIMEOUT_MS)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
        page.on("request", lambda asked: _note_foreign(asked.url, url, faults))
        page.goto(url)
        page.get_by_role("textbox", name="Search").fill("inverted lists")
        page.locator(".md-search-result__link", has_text="Inverted lists").first.click()
        page.wait_for_url("**/indexes-ivf.html*")
        page.wait_for_load_state("networkidle")
    assert faults == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_kind_of_page_has_an_accessibility_finding(
    site: Path, scheme: Literal["light", "dark"]
) -> None:
    with serve(site) as url, open_browser() as browser:
        page = browser.new_page(color_scheme=scheme, bypass_csp=True)
        page.set_default_timeout(TIMEOUT_MS)
        findings = {}
        for path in KINDS_OF_PAGES:
            page.goto(url + path)
            page.wait_for_load_state("networkidle")
            results = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa"]})
            if results.violations_count:
                findings[path] = results.generate_report()
    assert findings == {}, "\n".join(findings.values())


def _note_foreign(asked: str, url: str, faults: list[str]) -> None:
    if not asked.startswith((url, "data:")):
        faults.append(asked)


@contextmanager
def serve(site: Path) -> Iterator[str]:
    """Serve the site as `nalanda docs` does; yield its address."""
    with listen(0) as listener:
        server = site_server(site, listener)
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://{HOST}:{port_of(listener)}/"
        finally:
            server.shutdown()
            thread.join()


def headings(site: Path, page: str) -> set[str]:
    """Return the anchors of a page."""
    return set(re.findall(r'id="([^"]+)"', (site / "docs" / "reference" / page).read_text()))


def test_every_operation_and_schema_is_on_the_site(site: Path) -> None:
    document = create_app(Settings(_env_file=None)).openapi()
    calls = [f"{verb} {path}" for path, verbs in document["paths"].items() for verb in verbs]
    slugs = {re.sub(r"[^\w -]", "", call).replace(" ", "-") for call in calls}
    schemas = {name.lower() for name in document["components"]["schemas"]}
    assert (slugs | schemas) - headings(site, "operations.html") == set()


def test_every_command_is_on_the_site(site: Path) -> None:
    expected = {f"nalanda-{name}" for name in COMMANDS} | {"nalanda-library-create"}
    assert expected - headings(site, "commands.html") == set()


def test_every_public_name_of_the_sdk_is_on_the_site(site: Path) -> None:
    clients = {"Nalanda", "AsyncNalanda"}
    expected = {f"nalanda.{name}" for name in set(nalanda.__all__) - clients}
    expected |= {"nalanda._sync.client.Nalanda.ask", "nalanda._sync.libraries.Libraries.create"}
    assert expected - headings(site, "names-of-the-sdk.html") == set()


def test_a_dead_link_and_a_missing_anchor_end_the_build(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "index.md").write_text("# A\n\n[b](gone.md) [c](#lost)\n")
    config = tmp_path / "mkdocs.yml"
    config.write_text(
        f"INHERIT: {ROOT / 'mkdocs.yml'}\n"
        "docs_dir: docs\nhooks: []\nplugins: []\ntheme: {name: mkdocs, locale: en}\n"
    )
    built = build(config, tmp_path / "site")
    assert built.returncode == 1
    assert list(findings(built.stderr)) == ["gone.md", "#lost"]


def findings(output: str) -> Iterator[str]:
    """Yield the link of each warning."""
    for line in output.splitlines():
        if line.startswith("WARNING"):
            yield from re.findall(r"link '([^']+)'", line)
