"""The language of a library that is `auto`."""

from dataclasses import replace

import pytest

from core.domain.document import ChunkDraft, DocumentDraft
from core.domain.library import Language, LibraryDraft
from core.services.documents import DocumentService
from core.services.libraries import LibraryService

FRENCH = (
    "La vieille ville se trouve au bord du grand fleuve, et ses habitants vivaient de la pêche. "
)
GERMAN = "Die alte Stadt liegt am großen Fluss, und ihre Einwohner lebten vom Handel. "
DRAFT = LibraryDraft("lib", language=Language.AUTO)


@pytest.fixture(autouse=True)
def library(libraries: LibraryService) -> str:
    return libraries.create(DRAFT).value.id


def write(documents: DocumentService, text: str) -> None:
    documents.create("lib", DocumentDraft(chunks=[ChunkDraft(text)]))


def language(libraries: LibraryService) -> Language:
    return libraries.get("lib").value.language


def test_the_first_texts_settle_it_for_good(
    libraries: LibraryService, documents: DocumentService
) -> None:
    assert language(libraries) is Language.AUTO
    write(documents, FRENCH * 2)
    assert language(libraries) is Language.FRENCH
    write(documents, GERMAN * 50)
    assert language(libraries) is Language.FRENCH


def test_short_texts_add_up(libraries: LibraryService, documents: DocumentService) -> None:
    for word in FRENCH.split()[:8]:
        write(documents, word)
    assert language(libraries) is Language.AUTO
    for word in (FRENCH * 2).split()[8:]:
        write(documents, word)
    assert language(libraries) is Language.FRENCH


def test_auto_is_detected_at_once_in_a_library_with_texts(
    library: str, libraries: LibraryService, documents: DocumentService
) -> None:
    libraries.put(library, replace(DRAFT, language=Language.ENGLISH))
    write(documents, FRENCH * 2)
    assert language(libraries) is Language.ENGLISH
    libraries.put(library, DRAFT)
    assert language(libraries) is Language.FRENCH
    libraries.put(library, replace(DRAFT, description="The same request changes no language."))
    assert language(libraries) is Language.FRENCH


def test_another_language_is_never_detected(
    library: str, libraries: LibraryService, documents: DocumentService
) -> None:
    libraries.put(library, replace(DRAFT, language=Language.NONE))
    write(documents, FRENCH * 2)
    assert language(libraries) is Language.NONE


def test_auto_is_detected_from_texts_at_even_distances(
    library: str, libraries: LibraryService, documents: DocumentService
) -> None:
    for n in range(30):
        write(documents, (FRENCH if n < 5 else GERMAN) * 20)
    assert language(libraries) is Language.FRENCH
    libraries.put(library, DRAFT)
    assert language(libraries) is Language.GERMAN
