"""The calls in the documentation, run as they are written, page by page on one stack.

Left out, and only parsed (`tests/unit/docs`), are blocks that start servers or need other machines.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.stack import Stack, second_model
from tests.openai_server import OpenAIServer
from tests.unit.docs.pages import ROOT, blocks

URL = "http://127.0.0.1:8000"
CURL = """
curl() {
  if [ "$1" = -s ]; then
    command curl "$@"
  else
    command curl -sS -o answers -w '%{http_code} ' "$@"
  fi
}
"""
"""A `curl` that prints the status, or the answer where a block reads it (`-s`)."""

PYTHON = """
import ast, asyncio, inspect, sys
result = eval(compile(sys.argv[1], "block", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT))
if inspect.iscoroutine(result): asyncio.run(result)
"""
"""Runs a block, which may await outside a function."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Yield a stack with a second model, `embedder`."""
    with OpenAIServer() as models, Stack(tmp_path_factory.mktemp("documentation")) as stack:
        model = second_model(models)
        stack.environments = {"api": model, "worker": model}
        stack.start_all()
        yield stack


@pytest.fixture(autouse=True)
def _no_libraries(stack: Stack) -> Iterator[None]:
    """Delete the libraries of a page, as others use their names."""
    yield
    with stack.client() as client:
        for library in client.libraries.list():
            client.libraries.delete(library.id)


def code_of(page: str, language: str) -> list[str]:
    return [
        block.code for block in blocks() if block.page == ROOT / page and block.language == language
    ]


def run_shell(stack: Stack, folder: Path, code: str) -> str:
    return stack.run(folder, "bash", "-ec", CURL + code.replace(URL, stack.api_url)).stdout


def run_python(stack: Stack, folder: Path, code: str) -> str:
    command = (sys.executable, "-c", PYTHON, code.replace(URL, stack.api_url))
    return stack.run(folder, *command).stdout


@pytest.mark.parametrize(
    ("page", "statuses"),
    [
        ("README.md", "201 201 201 200 200 412 200 200 204"),
        ("docs/reference/filters.md", "201 201 200 200 200 200"),
        ("docs/reference/ingestion.md", "201 202 202"),
        (
            "docs/reference/questions.md",
            "201 201 200 202 200 200 200 200 200 200 202 409 202 200 200 200 200 204",
        ),
        (
            "docs/reference/rest.md",
            (
                "201 200 200 201 200 200 202 202 422 200 201 200 200 200 200 200 403 403 200 412 "
                "412 201 201 422 405"
            ),
        ),
    ],
)
def test_the_calls_of_a_page_have_these_statuses(
    stack: Stack, tmp_path: Path, page: str, statuses: str
) -> None:
    assert run_shell(stack, tmp_path, "\n".join(code_of(page, "sh"))).strip() == statuses


@pytest.mark.parametrize(
    ("page", "shown"),
    [
        ("README.md", "The harbour is nine fathoms deep."),
        ("sdk/README.md", "Attention is all you need. …"),
        ("docs/how-to/bring-your-own-vectors.md", "1.000 Ships leave for Lanka in winter."),
    ],
)
def test_the_python_of_a_page_prints_its_results(
    stack: Stack, tmp_path: Path, page: str, shown: str
) -> None:
    printed = "".join(run_python(stack, tmp_path, code) for code in code_of(page, "python"))
    assert shown in printed


def test_files_are_ingested_as_in_the_reference(stack: Stack, tmp_path: Path) -> None:
    with stack.client() as client:
        client.libraries.create("notes")
    [code] = code_of("docs/reference/ingestion.md", "python")
    assert "added=1" in run_python(stack, tmp_path, code)


def test_the_model_is_changed_as_in_the_how_to(stack: Stack, tmp_path: Path) -> None:
    with stack.client() as client:
        client.libraries.create("notes")
        client.documents.create("notes", title="Ports", text="The harbour is nine fathoms deep.")
        [code] = code_of("docs/how-to/change-the-embedding-model.md", "python")
        run_python(stack, tmp_path, code.replace("text-embedding-3-small", "embedder"))


def test_a_folder_is_ingested_as_in_the_how_to(stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "ports.md").write_text("# Ports\n\nThe harbour is deep.\n")
    once, ignoring, *_ = code_of("docs/how-to/ingest-a-folder.md", "sh")
    run_shell(stack, tmp_path, once + ignoring + once)
    with stack.client() as client:
        [document] = client.documents.list("notes")
        assert document.source is not None
        assert document.source.endswith("ports.md")


def test_a_backup_is_taken_as_in_the_how_to(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NALANDA_DATA_DIR", str(stack.data))
    code = code_of("docs/how-to/back-up-and-restore.md", "sh")[0]
    run_shell(stack, tmp_path, code.replace("/mnt/backups", str(tmp_path / "backups")))
