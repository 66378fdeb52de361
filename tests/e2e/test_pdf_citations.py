"""PDF files that are ingested and asked about: each quote stands in its box on its page."""

import os
import subprocess
from pathlib import Path

from nalanda import Citation, Nalanda
from tests.e2e.stack import NALANDA, Stack
from tests.unit.core.documents.pdf import files
from tests.unit.core.documents.pdf.looking import draw, has_words, ink, text_in

TIMEOUT_S = 180
QUESTIONS = {
    "How deep is the harbour of Tamralipti?": ("plain", "cropped", "sideways", "rotated by 270"),
    "By what measure is pepper sold in Calicut?": ("rotated by 90", "form", "two columns", "book"),
    "What must ships that leave Aden after the turn do?": ("over pages", "woven columns"),
    "How deep is Calicut?": ("ruled table", "open table"),
    "What is the depth of port 77?": ("long table",),
    "Where is the well-known anchorage sheltered from?": ("hyphenated",),
    "港の深さは?": ("japanese", "japanese vertical"),
    "כמה עמוק הנמל?": ("hebrew",),
    "What is the mole made of?": ("moved origin",),
    "Which fleet is five ships?": ("ligatures",),
}


def test_each_quote_is_in_its_box(tmp_path: Path) -> None:
    contents = {_file(name): make() for name, make in files.READABLE.items()}
    folder = tmp_path / "ports"
    folder.mkdir()
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    cited: set[str] = set()
    with Stack(tmp_path) as stack:
        stack.start_all()
        ingest(stack, folder)
        with stack.client() as client:
            for question, names in QUESTIONS.items():
                for name in names:
                    for citation in ask(client, question, _file(name)):
                        check(citation, contents, tmp_path / f"{name}.png")
                        cited.add(name)
    assert cited == {name for names in QUESTIONS.values() for name in names}


def ingest(stack: Stack, folder: Path) -> None:
    done = subprocess.run(
        [NALANDA, "ingest", str(folder), "--library", "ports"],
        env={**os.environ, "NALANDA_API_URL": stack.api_url},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def ask(client: Nalanda, question: str, source: str) -> list[Citation]:
    [name] = [d.source for d in client.documents.list("ports") if (d.source or "").endswith(source)]
    only = {"field": "document.source", "op": "eq", "value": name}
    asked = client.queries.start("ports", question, filter=only)
    state = client.queries.wait(asked.workflow_id, timeout_s=TIMEOUT_S)
    assert state.result is not None, state
    return state.result.citations


def check(citation: Citation, contents: dict[str, bytes], picture: Path) -> None:
    """Check the text and the ink in the box of a citation, and draw the box."""
    place = citation.place
    assert place is not None
    assert place.source is not None
    assert place.page is not None
    assert place.box is not None
    content = contents[Path(place.source).name]
    seen = text_in(content, place.page, place.box)
    assert has_words(seen, citation.quote.replace("|", " ")), (citation.quote, seen)
    if "japanese" not in place.source:  # its font is neither in the file nor on each machine
        assert ink(content, place.page, place.box) > 0
    draw(content, place.page, place.box, picture)


def _file(name: str) -> str:
    return f"{name.replace(' ', '-')}.pdf"
