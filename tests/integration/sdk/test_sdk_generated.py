"""The blocking client equals the script's output for the asynchronous one."""

import runpy
from pathlib import Path

SCRIPT = Path(__file__).parents[3] / "sdk" / "unasync.py"


def test_the_generated_code_is_up_to_date() -> None:
    expected: dict[Path, str] = runpy.run_path(str(SCRIPT))["generate_files"]()
    folder = SCRIPT.parent / "nalanda" / "_sync"
    assert {path: path.read_text() for path in folder.glob("*.py")} == expected
