"""The Makefile under `make`, in minimal environments."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[3]
SHOW = "include Makefile\nshow:\n\t@printf '%s\\n' \"$$VARIABLE\"\n"


def variable_value(variable: str, environment: dict[str, str]) -> str:
    """Return an environment variable as a recipe of the Makefile sees it."""
    return subprocess.run(
        ["/usr/bin/env", "make", "--silent", "-f", "-", "show"],
        input=SHOW.replace("VARIABLE", variable),
        env=environment,
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    ).stdout.strip()


def test_uv_takes_the_certificates_of_the_system() -> None:
    assert variable_value("UV_SYSTEM_CERTS", {}) == "1"


def test_what_the_environment_says_of_certificates_counts_more() -> None:
    assert variable_value("UV_SYSTEM_CERTS", {"UV_SYSTEM_CERTS": "0"}) == "0"


def test_an_empty_environment_finds_the_programs_of_the_system() -> None:
    assert "/usr/bin" in variable_value("PATH", {}).split(":")
