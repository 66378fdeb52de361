"""The API on a full disk or under a quota: writes are refused, reads work, writes resume with
space.

The full disk is a tmpfs of some MiB, which requires root (`CAP_SYS_ADMIN`). A file-size limit
stands in for a quota, and runs everywhere.
"""

import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import apsw
import httpx

from core.adapters.sqlite.store import DATABASE_NAME
from tests.e2e.stack import Stack
from tests.integration.api.calls import assert_problem
from tests.integration.storage.conftest import SMALL_DISK_MIB
from tests.waiting import until

REFUSALS = 40
TEXT = "A sentence of some length. " * 400


class Served:
    """An API process, its acknowledged writes, and its refusals."""

    def __init__(self, api: httpx.Client) -> None:
        self.api = api
        self.there: set[str] = set()
        self.refused: dict[str, httpx.Response] = {}

    def make_library(self) -> None:
        made = self.api.put("/libraries/l", json={"name": "l", "dimension": 2})
        assert made.status_code == 201

    def write(self, id_: str) -> httpx.Response:
        chunks = [
            {"id": f"{id_}-{i}", "text": f"{id_} {i}. {TEXT}", "embedding": [1, i]}
            for i in range(4)
        ]
        answer = self.api.put(f"/libraries/l/documents/{id_}", json={"chunks": chunks})
        if answer.is_success:
            self.there.add(id_)
        else:
            self.refused[id_] = answer
        return answer

    def write_until_refused(self, thread: int) -> None:
        for number in range(100_000):
            self.write(f"{thread}-{number}")
            if len(self.refused) >= REFUSALS:
                return
        raise AssertionError("The disk never got full.")

    def read(self) -> None:
        """Run all kinds of reads of the initial data."""
        for answer in (
            self.api.get("/libraries/l"),
            self.api.get("/libraries/l/documents/first"),
            self.api.get("/libraries/l/chunks/first-0", params={"include": "embedding"}),
            self.api.get("/libraries/l/chunks", params={"limit": 5}),
            self.api.post("/libraries/l/search", json={"embedding": [1, 0], "k": 3}),
            self.api.get("/readyz"),
        ):
            assert answer.status_code == 200, answer.text

    def check(self) -> None:
        """Check that acknowledged writes are present and refused ones absent."""
        for id_ in self.there:
            assert self.api.get(f"/libraries/l/documents/{id_}").status_code == 200
        for id_ in self.refused:
            assert self.api.get(f"/libraries/l/documents/{id_}").status_code == 404
        listed = self.api.get("/libraries/l/chunks", params={"limit": 1000}).json()["items"]
        assert {item["document_id"] for item in listed} <= self.there


@contextmanager
def serve(folder: Path, data_dir: Path) -> Iterator[tuple[Stack, Served]]:
    with Stack(folder) as stack:
        stack.environments["api"] = {"NALANDA_DATA_DIR": str(data_dir)}
        stack.start("api")
        with httpx.Client(base_url=stack.api_url, timeout=60, trust_env=False) as api:
            running = Served(api)
            running.make_library()
            assert running.write("first").status_code == 201
            yield stack, running


def fill(running: Served) -> None:
    """Fill the disk with several clients, while another reads."""
    full = threading.Event()

    def read_on() -> None:
        while not full.is_set():
            running.read()
        running.read()

    with ThreadPoolExecutor(5) as pool:
        reading = pool.submit(read_on)
        try:
            list(pool.map(running.write_until_refused, range(4)))
        finally:
            full.set()
        reading.result(120)


def check_data(data_dir: Path) -> None:
    command = [sys.executable, "-m", "cli", "verify", "--full", "--data", str(data_dir)]
    verified = subprocess.run(command, capture_output=True, text=True, check=False)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    with closing(apsw.Connection(str(data_dir / DATABASE_NAME))) as connection:
        assert connection.pragma("integrity_check") == "ok"
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        log = connection.execute("SELECT position FROM log ORDER BY position").fetchall()
        ((position,),) = connection.execute("SELECT position FROM cluster").fetchall()
        positions = [int(str(row[0])) for row in log]
        assert positions == list(range(positions[0], int(str(position)) + 1))


def test_a_full_disk_refuses_writes_and_takes_them_again_when_there_is_room(
    small_disk: Path, tmp_path: Path
) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(2**23))
    with serve(tmp_path, small_disk / "data") as (stack, running):
        fill(running)
        for answer in running.refused.values():
            assert_problem(answer, 507)
            assert "full" in answer.json()["detail"]
        running.check()
        stack.kill("api")
        stack.start("api")
        running.read()
        assert running.write("started").status_code == 507
        running.check()
        ballast.unlink()
        assert running.write("after").status_code == 201
        running.check()
        stack.kill("api")
        stack.start("api")
        running.read()
        running.check()
        assert stack.stop("api") == -signal.SIGTERM
    check_data(small_disk / "data")


def test_a_quota_refuses_writes_until_it_is_raised(tmp_path: Path) -> None:
    with serve(tmp_path, tmp_path / "data") as (stack, running):
        process = stack.pid("api")
        _, most = resource.prlimit(process, resource.RLIMIT_FSIZE)
        resource.prlimit(process, resource.RLIMIT_FSIZE, (2**21, most))
        fill(running)
        for answer in running.refused.values():
            assert_problem(answer, 503)
            assert int(answer.headers["Retry-After"]) >= 1
        running.check()
        resource.prlimit(process, resource.RLIMIT_FSIZE, (most, most))
        assert running.write("after").status_code == 201
        running.check()
        assert stack.stop("api") == -signal.SIGTERM
    check_data(tmp_path / "data")


def test_vectors_that_find_no_room_are_built_when_there_is(
    small_disk: Path, tmp_path: Path
) -> None:
    """The record is on another disk, so only the index lacks space."""
    vectors = tmp_path / "data" / "vectors"
    vectors.parent.mkdir()
    vectors.symlink_to(small_disk)
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes((SMALL_DISK_MIB - 1) * 2**20))
    with Stack(tmp_path) as stack:
        stack.environments["api"] = {
            "NALANDA_DATA_DIR": str(tmp_path / "data"),
            "NALANDA_VECTORS": "mapped",
        }
        stack.start("api")
        with httpx.Client(base_url=stack.api_url, timeout=60, trust_env=False) as api:
            api.put("/libraries/l", json={"name": "l", "dimension": 128}).raise_for_status()
            for start in range(0, 5_000, 500):
                chunks = [
                    {"text": f"{start + i}", "embedding": [1, start + i, *[0] * 126]}
                    for i in range(500)
                ]
                put = api.put(f"/libraries/l/documents/d{start}", json={"chunks": chunks})
                assert put.status_code == 201

            def index() -> dict[str, object]:
                status: dict[str, object] = api.get("/libraries/l/index").json()
                return status

            until(lambda: index()["state"] == "failed", 60)
            assert "No space left" in str(index()["error"])
            search = {"embedding": [1, 4999, *[0] * 126], "k": 1, "exact": True}
            assert api.post("/libraries/l/search", json=search).status_code == 200
            ballast.unlink()
            until(lambda: index()["state"] == "ready", 120)
            assert api.post("/libraries/l/search", json=search).status_code == 200
