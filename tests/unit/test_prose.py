"""The check of prose finds what it is for."""

from pathlib import Path

import pytest

from tests.prose import check


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.py", 'def f() -> None:\n    """Of the rows."""\n', "1: the docstring of f begins"),
        ("a.py", 'def f() -> None:\n    """Raises: ValueError."""\n', "1: the docstring of f"),
        ("a.py", 'class C:\n    """What a row has."""\n', "1: the docstring of C begins"),
        ("a.py", '"""How rows are read."""\n', "1: the docstring of the module"),
        ("a.py", "x = 1\n# Made an" + "ew.\n", "2: retired word: an" + "ew"),
        ("a.md", "One.\n\nSo m" + "any rows.\n", "3: retired word: So m" + "any"),
    ],
)
def test_a_finding_has_its_place(tmp_path: Path, name: str, text: str, expected: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    [finding] = check(path)
    assert finding.startswith(f"{path}:{expected}")


def test_code_and_good_prose_pass(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text('def told() -> str:\n    """Return the rows."""\n    return "so many"\n')
    assert not list(check(path))
