"""The message for root if PostgreSQL cannot start for the tests."""

import os
import pwd
import shutil

import pytest

from tests import postgres


@pytest.fixture
def bare_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(pwd, "getpwall", list)
    monkeypatch.setenv("PATH", "/usr/local/bin")


@pytest.mark.usefixtures("bare_root")
def test_without_useradd_root_gets_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    said = postgres.missing_for_root()
    assert said is not None
    assert "useradd" in said
    assert "\n" not in said


@pytest.mark.usefixtures("bare_root")
def test_useradd_is_found_where_the_path_does_not_lead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: "/usr/sbin" in os.environ["PATH"] or None)
    assert postgres.missing_for_root() is None


def test_who_is_not_root_needs_no_other_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert postgres.missing_for_root() is None
