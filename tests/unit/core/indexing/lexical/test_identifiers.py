"""Identifiers are found whole and by their parts."""

import pytest

from core.domain.library import Language
from core.indexing.lexical.bm25 import LexicalIndex

FOUND = [
    ("snake_case", ["snake_case", "snake", "case", "snakeCase", "snake-case", "SNAKE_CASE"]),
    ("kebab-case", ["kebab-case", "kebab", "case", "kebabcase"]),
    ("camelCase", ["camelCase", "camel", "case", "camelcase"]),
    ("HTTPGateError", ["HTTPGateError", "http", "gate", "error", "httpgateerror"]),
    ("getURLs", ["get", "urls", "geturls"]),
    ("foo.bar()", ["foo.bar()", "foo.bar", "foo", "bar"]),
    ("C++,", ["C++", "c++"]),
    ("C#.", ["C#", "c#"]),
    ("(.NET)", [".NET", "net", ".net"]),
    ("ERR_1234", ["ERR_1234", "err", "1234", "err1234"]),
    ("3.11.2", ["3.11.2", "3.11", "11"]),
    ("v3.11.2", ["v3.11.2", "3.11.2", "3.11"]),
    ("/usr/local/bin/python3.11", ["/usr/local/bin/python3.11", "local", "python3.11", "python"]),
    ("src\\a_b\\main.py", ["main.py", "a_b", "main"]),
    ("https://docs.python.org/3/", ["docs.python.org", "python", "https://docs.python.org/3"]),
    ("std::vector<int>", ["std::vector", "vector", "int"]),
    ("self->next", ["self->next", "next"]),
    ("__init__", ["__init__", "init"]),
    ("user@example.com", ["user@example.com", "example.com", "user"]),
    ("U.S.A.", ["USA", "u.s.a."]),
    ("AT&T", ["AT&T", "at&t"]),
    ("1,000,000.50", ["1000000.50", "1,000,000.50"]),
    ("python3", ["python3", "python"]),
    ("COVID-19", ["covid-19", "covid", "COVID19"]),
    ("iPhone手机", ["iphone", "手机"]),
    ("name=value;x", ["name", "value", "x"]),
]


@pytest.mark.parametrize(
    ("identifier", "query"), [(text, query) for text, queries in FOUND for query in queries]
)
def test_an_identifier_is_found(identifier: str, query: str) -> None:
    reader = LexicalIndex(Language.ENGLISH).change(enumerate(("zzz", f"q {identifier} w")), [])
    assert reader.search(query, 10).row_ids.tolist() == [1]


@pytest.mark.parametrize(
    ("query", "others"),
    [
        ("snake_case", ["a snake in a case", "case of a snake"]),
        ("C++", ["C", "C#", "a C+ grade"]),
        ("C#", ["C++", "C"]),
        (".NET", ["a net", "the internet.net"]),
        ("3.11.2", ["3.11.4", "2 3 11", "3 11 2"]),
        ("HTTPGateError", ["an http error of a gate", "HTTPError"]),
        ("foo.bar()", ["foo and bar", "bar.foo"]),
        ("os.path", ["the path of an os", "path"]),
    ],
)
def test_the_whole_identifier_is_first(query: str, others: list[str]) -> None:
    reader = LexicalIndex(Language.ENGLISH).change(enumerate((*others, f"see {query} here")), [])
    assert reader.search(query, 1).row_ids.tolist() == [len(others)]


def test_a_phrase_has_an_identifier_by_its_words() -> None:
    reader = LexicalIndex(Language.ENGLISH).change(enumerate(["use snake_case names"]), [])
    for phrase in ("use snake_case names", "snake case names", "SnakeCase"):
        assert reader.search(f'"{phrase}"', 1).row_ids.tolist() == [0]


@pytest.mark.parametrize(
    "unit", ["1", "1.", "a1", "a_", "A/", "1,", "::", "Ab", "é", "東", '"', "“«", "*"]
)
def test_the_time_for_a_long_token_is_linear(unit: str) -> None:
    """Check by a length for which a quadratic time would be a minute."""
    text = unit * (60_000 // len(unit))
    reader = LexicalIndex(Language.ENGLISH).change(enumerate([f"{text} end"]), [])
    assert reader.search("end", 1).row_ids.tolist() == [0]
    assert reader.search(f"{text} end", 1).row_ids.tolist() == [0]


def test_long_words_and_identifiers_are_left_out_and_their_short_parts_not() -> None:
    reader = LexicalIndex(Language.ENGLISH).change(
        enumerate([f"{'q' * 300} one", "-".join(["ab"] * 5_000), "a" * 5_000 + ".two"]), []
    )
    assert reader.search("q" * 300, 10).row_ids.tolist() == []
    assert reader.search("one", 10).row_ids.tolist() == [0]
    assert reader.search("ab", 10).row_ids.tolist() == [1]
    assert reader.search("two", 10).row_ids.tolist() == [2]
