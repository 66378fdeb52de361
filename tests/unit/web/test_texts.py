"""Each text of the page is in each catalogue, with the same placeholders."""

import re
from pathlib import Path

import pytest

WEB = Path(__file__).parents[3] / "web"
CATALOGUES = sorted((WEB / "texts").glob("*.js"))

_CALL = re.compile(r'\bt\(\s*"((?:[^"\\]|\\.)*)"')
_ANY_CALL = re.compile(r"\bt\(")
_MARKED = re.compile(r'data-text>([^<]*)<|aria-label="([^"]*)" data-label')
_ENTRY = re.compile(r'^  (?:"((?:[^"\\]|\\.)*)"|(\w+)):\s*"((?:[^"\\]|\\.)*)"', re.MULTILINE)
_PLACEHOLDER = re.compile(r"\{\w+\}")


def _modules() -> list[Path]:
    return [path for path in WEB.rglob("*.js") if path not in CATALOGUES]


def _texts() -> set[str]:
    called = {text for path in _modules() for text in _CALL.findall(path.read_text("utf-8"))}
    marked = _MARKED.findall((WEB / "index.html").read_text("utf-8"))
    return called | {text or label for text, label in marked}


def _translations(catalogue: Path) -> dict[str, str]:
    entries = _ENTRY.findall(catalogue.read_text("utf-8"))
    return {quoted or bare: translation for quoted, bare, translation in entries}


def test_every_text_is_written_where_it_is_shown() -> None:
    for path in set(_modules()) - {WEB / "text.js"}:
        source = path.read_text("utf-8")
        assert len(_CALL.findall(source)) == len(_ANY_CALL.findall(source)), path


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=lambda path: path.stem)
def test_a_catalogue_has_all_texts_and_no_others(catalogue: Path) -> None:
    assert set(_translations(catalogue)) == _texts()


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=lambda path: path.stem)
def test_a_translation_has_the_placeholders_of_its_text(catalogue: Path) -> None:
    for text, translation in _translations(catalogue).items():
        assert sorted(_PLACEHOLDER.findall(text)) == sorted(_PLACEHOLDER.findall(translation))
