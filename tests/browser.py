"""Chromium for tests: the system's, or Debian's packages unpacked into the environment."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.downloads import fill_once

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_INSTALLED = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_MISSING = (
    "The browser tests need Chromium, which is neither installed nor to be had from Debian's"
    " packages. Install it, for example by: apt install chromium"
)


@dataclass(frozen=True, slots=True)
class Chromium:
    executable: str
    environment: Mapping[str, str] = field(default_factory=dict)


@contextmanager
def open_browser() -> Iterator["Browser"]:
    """Start Chromium, headless; end it with the block."""
    from playwright.sync_api import sync_playwright

    chromium = _installed() or _unpacked()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium.executable,
            env={**os.environ, **chromium.environment},
            args=["--no-sandbox"],  # which Chromium can't have as root
        )
        yield browser
        browser.close()


def _installed() -> Chromium | None:
    executable = next(filter(None, map(shutil.which, _INSTALLED)), None)
    return Chromium(executable) if executable else None


def _unpacked() -> Chromium:
    folder = fill_once("chromium", _unpack)
    libraries = [path.parent for path in folder.glob("usr/lib/*-linux-gnu/**/*.so*")]
    search_path = os.pathsep.join(map(str, dict.fromkeys(libraries)))
    executable = folder / "usr/lib/chromium/chromium"
    return Chromium(str(executable), {"LD_LIBRARY_PATH": search_path})


def _unpack(root: Path) -> None:
    """Unpack Chromium and what the system lacks of its dependencies, without root's rights."""
    packages = root.with_name("packages")
    packages.mkdir()
    try:
        _apt(packages, "download", *_required(packages))
        for package in packages.glob("*.deb"):
            _run(packages, "dpkg", "-x", package.name, str(root))
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.fail(f"{_MISSING}\n{error}\n{getattr(error, 'stderr', '')}", pytrace=False)


def _required(folder: Path) -> list[str]:
    """Return the names of Chromium's package and of its dependencies that are not installed."""
    install = ("install", "--print-uris", "--yes", "--no-install-recommends", "chromium")
    lines = _apt(folder, *install).splitlines()
    return [line.split()[1].partition("_")[0] for line in lines if line.startswith("'")]


def _apt(folder: Path, *words: str) -> str:
    return _run(folder, "apt-get", "-qq", "-o", "Debug::NoLocking=true", *words)


def _run(folder: Path, *command: str) -> str:
    environment = {**os.environ, "LC_ALL": "C"}
    done = subprocess.run(
        command, cwd=folder, env=environment, check=True, capture_output=True, text=True
    )
    return done.stdout
