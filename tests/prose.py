"""Checks docstrings, comments and docs by the rules of CONTRIBUTING's *Style*: `make lint`.

A function's docstring begins with a verb, that of a type or a module with a noun phrase, so none
begins with one of `NO_VERBS`. Retired words are found in Python files outside of code, and in
Markdown.
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterable, Iterator
from pathlib import Path

NO_VERBS = re.compile(
    "(About|After|Also|Among|As|At|Before|Beside|Between|Beyond|By|For|From|How|If|In|Is|Like|Of|On|"
    "Once|Only|Raises|That|Those|To|Under|Until|What|When|Where|Whether|Which|Who|Why|With|Within|"
    r"Without)\b"
)
RETIRED = re.compile(
    r"\b(anew|beside|tells of|told|whoever|nobody|heed\w*|for want of|so many|what there is|"
    r"gives? way|its word|comes? to be)\b",
    re.IGNORECASE,
)
_SOURCES = {".py", ".md"}
_HISTORY = {"CHANGELOG.md"}


def main(places: Iterable[str]) -> int:
    """Print each finding with its place; return how many there are."""
    findings = [finding for path in _files(places) for finding in check(path)]
    for finding in findings:
        print(finding)
    return len(findings)


def check(path: Path) -> Iterator[str]:
    text = path.read_text("utf-8")
    if path.suffix == ".py":
        yield from (f"{path}:{line}: {said}" for line, said in _docstrings(text))
    for line, prose in _prose(path.suffix, text):
        for word in RETIRED.finditer(prose):
            at = line + prose.count("\n", 0, word.start())
            yield f"{path}:{at}: retired word: {word.group()}"


def _docstrings(text: str) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module):
            first = NO_VERBS.match(ast.get_docstring(node) or "")
            if first:
                name, line = getattr(node, "name", "the module"), getattr(node, "lineno", 1)
                yield line, f"the docstring of {name} begins with {first.group()!r}"


def _prose(suffix: str, text: str) -> Iterator[tuple[int, str]]:
    if suffix == ".md":
        yield 1, text
        return
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        is_docstring = token.type == tokenize.STRING and token.string.startswith('"""')
        if is_docstring or token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def _files(places: Iterable[str]) -> Iterator[Path]:
    for place in map(Path, places):
        paths = [place] if place.is_file() else sorted(place.rglob("*"))
        yield from (p for p in paths if p.suffix in _SOURCES and p.name not in _HISTORY)


if __name__ == "__main__":
    sys.exit(min(main(sys.argv[1:]), 1))
