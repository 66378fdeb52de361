"""Hooks of MkDocs: the pages that are not in `docs/`, and the navigation.

MkDocs imports this file by its path. Pages keep their paths in the repository, so that relative
links work on the site as they do on a code host.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from website.commands import commands_page
from website.operations import operations_page
from website.sdk import sdk_page

ROOT = Path(__file__).parents[1]
_OUTSIDE_DOCS = (
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "sdk/README.md",
    "deploy/helm/nalanda/monitoring/alerts.yaml",
)
"""Files outside of `docs/` to which pages link."""

_GENERATED = {
    "docs/reference/commands.md": commands_page,
    "docs/reference/names-of-the-sdk.md": sdk_page,
    "docs/reference/operations.md": operations_page,
}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Return the files of the site, and set its navigation."""
    docs = [file for file in files if file.src_dir == config.docs_dir]
    theme = [file for file in files if file.src_dir != config.docs_dir]
    paths = [*(f"docs/{file.src_uri}" for file in docs), *_OUTSIDE_DOCS]
    written = [File(path, str(ROOT), config.site_dir, config.use_directory_urls) for path in paths]
    generated = [File.generated(config, path, content=page()) for path, page in _GENERATED.items()]
    config.nav = _navigation([*paths, *_GENERATED])
    return Files([*theme, *written, *generated])


def _navigation(paths: Iterable[str]) -> list[dict[str, Any]]:
    """Return the sections by what a reader needs, each with the pages of its folder."""
    pages = sorted(path for path in paths if path.endswith(".md"))

    def folder(name: str) -> list[str]:
        return [page for page in pages if page.startswith(f"docs/{name}/")]

    return [
        {"Start": ["README.md", "docs/README.md", "docs/tutorial.md"]},
        {"How-to": folder("how-to")},
        {"Reference": [*folder("reference"), "sdk/README.md"]},
        {"Explanation": folder("explanation")},
        {"Decisions": folder("decisions")},
        {"Project": ["CONTRIBUTING.md", "CHANGELOG.md"]},
    ]
