"""Generator of `nalanda/_sync` from `nalanda/_async`: `python sdk/unasync.py [--check]`."""

import re
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).parent / "nalanda"
HEADER = "# Written by sdk/unasync.py from _async/{name}: change that one, then `make generate`.\n"
FIXES = (
    *("--fix-only", "--unsafe-fixes"),
    *("--config", 'lint.isort.known-first-party = ["nalanda"]'),
)
WORDS = {
    r"\basync (def|with|for)\b": r"\1",
    r"\bawait ": "",
    r"\basyncio\.sleep\b": "time.sleep",
    r"\bAwaitable\[(\w+)\]": r"\1",
    r"\bimport asyncio\b": "import time",
    r"\basynccontextmanager\b": "contextmanager",
    r"\ba(iter_lines|read)\b": r"\1",
    r"\b_async\b": "_sync",
    r"\baclose\b": "close",
    r"\b__a(enter|exit)__\b": r"__\1__",
    r"\bAsync(Nalanda|Iterator|Client|BaseTransport)\b": r"\1",
}


def main() -> int:
    """Write outdated files; with `--check` only list them, and return 1 if there are any."""
    check = "--check" in sys.argv[1:]
    stale = {path: text for path, text in generate_files().items() if _text_of(path) != text}
    for path, text in stale.items():
        print("out of date:" if check else "writing", path)
        if not check:
            path.write_text(text)
    return 1 if check and stale else 0


def generate_files() -> dict[Path, str]:
    """Return the expected content of each file of `_sync`."""
    sources = sorted((PACKAGE / "_async").glob("*.py"))
    return {PACKAGE / "_sync" / s.name: _format(synchronous(s)) for s in sources}


def synchronous(source: Path) -> str:
    """Return the code without async and await, not yet formatted."""
    text = source.read_text()
    for word, replacement in WORDS.items():
        text = re.sub(word, replacement, text)
    return HEADER.format(name=source.name) + text if text else text


def _format(text: str) -> str:
    """Format in the project's style, with sorted imports and simplified loops."""
    for step in (("check", *FIXES), ("format",)):
        name = ["--stdin-filename", str(PACKAGE / "_sync" / "stdin.py")]
        command = [sys.executable, "-m", "ruff", *step, "--quiet", *name, "-"]
        process = subprocess.run(  # noqa: S603  # no shell, and no word of it from outside
            command, input=text, capture_output=True, text=True, check=True
        )
        text = process.stdout
    return text


def _text_of(path: Path) -> str | None:
    return path.read_text() if path.exists() else None


if __name__ == "__main__":
    sys.exit(main())
