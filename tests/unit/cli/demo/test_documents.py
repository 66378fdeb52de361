"""Conversion of entries into documents and chunks."""

from hypothesis import given
from hypothesis import strategies as st

from cli.demo import corpus
from cli.demo.stdlib import Entry


def entry(doc: str, name: str = "shelf.put", signature: str = "(book)") -> Entry:
    return Entry(module="shelf", kind="function", name=name, signature=signature, doc=doc)


def test_modules_become_documents() -> None:
    one, two = corpus.documents([entry("Put it there."), Entry("shop", "module", "shop", "", "A")])
    assert (one.title, two.title) == ("shelf", "shop")
    assert one.id.endswith("-shelf")
    assert two.chunks[0].text == "shop\n\nA"
    assert "signature" not in two.chunks[0].metadata


@given(st.lists(st.text("ab. ", min_size=1, max_size=900), min_size=2, max_size=6))
def test_a_long_text_becomes_chunks_that_say_whose_they_are(paragraphs: list[str]) -> None:
    doc = "\n\n".join(f"x{paragraph}" for paragraph in paragraphs)
    (document,) = corpus.documents([entry(doc)])
    heads, rests = zip(*(chunk.text.split("\n\n", 1) for chunk in document.chunks), strict=True)
    assert set(heads) == {"shelf.put(book)"}
    assert "".join("".join(rests).split()) == "".join(doc.split())


def test_the_hash_follows_the_content() -> None:
    hashes = [
        next(corpus.documents([one])).content_hash
        for one in (
            entry("Put it there."),
            entry("Put it there."),
            entry("Put it here."),
            entry("Put it there.", signature="(book, where)"),
            entry("Put it there.", name="shelf.place"),
        )
    ]
    assert hashes[0] == hashes[1]
    assert len(set(hashes)) == 4
