"""The whole command, in this process."""

from collections.abc import Callable

import pytest

from cli import main

Run = Callable[..., str]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """`nalanda` with these words: all that it says, mistakes first."""

    def call(*words: object, status: int | None = None) -> str:
        monkeypatch.setattr("sys.argv", ["nalanda", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main.main()
        out, err = capsys.readouterr()
        if status is not None:
            assert ended.value.code == status
        return err + out

    return call
