"""Rules of .gitignore files."""

from pathlib import Path

import pytest

from cli.ingestion.ignoring import rules_above, with_rules_of


def ignores(folder: Path, name: str) -> bool:
    """Return whether the folder's own rules ignore a name, of a folder if it ends in a slash."""
    rules = with_rules_of(str(folder), None)
    return rules is not None and rules.ignore(str(folder / name), is_folder=name.endswith("/"))


@pytest.mark.parametrize(
    ("rules", "ignored", "taken"),
    [
        ("*.log", ["a.log", "b/c.log", "d.log/"], ["a.md", "log"]),
        ("build/", ["build/", "a/build/"], ["build", "builds/"]),
        ("/build", ["build/", "build"], ["a/build"]),
        ("a/b", ["a/b"], ["c/a/b"]),
        ("*.md\n!keep.md", ["a.md"], ["keep.md", "b/keep.md"]),
        ("!keep.md\n*.md", ["keep.md"], []),
        ("*\n!*/\n!*.md", ["a.txt", "b/a.txt"], ["b/", "b/a.md"]),
        ("foo/**\n!foo/keep.md", ["foo/a.md", "foo/b/"], ["foo/", "foo/keep.md"]),
        ("doc/**/x.md", ["doc/x.md", "doc/a/b/x.md"], ["x.md"]),
        ("# a.md\n\n\\#b.md\n", ["#b.md"], ["a.md"]),
        ("a b.md  \r\nc.md", ["a b.md", "c.md"], ["a"]),
        ("\ufeffa.md", ["a.md"], ["b.md"]),
        ("[ab].md\n[z-a].md\n!\nc.md", ["a.md", "c.md"], ["d.md"]),
        ("", [], ["a.md"]),
    ],
)
def test_rules(tmp_path: Path, rules: str, ignored: list[str], taken: list[str]) -> None:
    (tmp_path / ".gitignore").write_text(rules, "utf-8", newline="")
    assert [name for name in ignored + taken if ignores(tmp_path, name)] == ignored


def test_a_name_that_is_not_utf_8(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_bytes(b"caf\xe9.md\n")
    assert ignores(tmp_path, "caf\udce9.md")


def test_a_folder_without_rules(tmp_path: Path) -> None:
    assert with_rules_of(str(tmp_path), None) is None
    (tmp_path / ".gitignore").mkdir()
    assert with_rules_of(str(tmp_path), None) is None


def test_the_rules_of_a_repository_hold_in_a_folder_below_its_root(tmp_path: Path) -> None:
    repository = tmp_path / "above" / "repository"
    folder = repository / "docs" / "en"
    folder.mkdir(parents=True)
    (repository / ".git").mkdir()
    (tmp_path / ".gitignore").write_text("*.md")
    (repository / ".gitignore").write_text("*.log\ndocs/en/x.txt")
    (repository / "docs" / ".gitignore").write_text("!kept.log")
    rules = rules_above(str(folder))
    assert rules is not None
    names = ("a.md", "a.log", "kept.log", "x.txt")
    assert [n for n in names if rules.ignore(str(folder / n), is_folder=False)] == [
        "a.log",
        "x.txt",
    ]
    assert rules_above(str(repository)) is None
    assert rules_above(str(tmp_path)) is None


def test_a_folder_that_they_ignore_has_none(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitignore").write_text("build/\n*.html")
    (tmp_path / "build" / "docs").mkdir(parents=True)
    for folder in ("build", "build/docs"):
        assert rules_above(str(tmp_path / folder)) is None
