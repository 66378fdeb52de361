"""File modes of real commands, under a permissive umask."""

import subprocess
from pathlib import Path

from tests.e2e.stack import NALANDA, Stack
from tests.permissions import open_to_others


def test_database_checkpoints_backups_and_exports_are_the_users_alone(tmp_path: Path) -> None:
    with Stack(tmp_path) as stack:
        stack.umask = 0
        stack.start("api")
        with stack.client() as client:
            client.libraries.create(name="colours")
            client.documents.create("colours", text="The sky is blue. Grass is green.")
            for words in (
                ("backup", "backups", "--data", "data"),
                ("export", "colours", "c.jsonl"),
            ):
                run(stack, tmp_path, *words)
        for name in ("data", "backups"):
            assert (tmp_path / name).is_dir()
            assert open_to_others(tmp_path / name) == []
        assert (tmp_path / "c.jsonl").stat().st_mode & 0o777 == 0o600


def run(stack: Stack, folder: Path, *words: str) -> None:
    command = [NALANDA, *words]
    environment = {"PATH": "/usr/bin:/bin", "NALANDA_API_URL": stack.api_url}
    subprocess.run(command, env=environment, cwd=folder, check=True, umask=0, timeout=120)
