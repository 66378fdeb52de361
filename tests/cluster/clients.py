"""Clients that write, read, search and delete chunks, and record what they did."""

import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any

import httpx

from tests.cluster.nodes import HEADERS

LIBRARY = "histories"
DOCUMENT = f"/libraries/{LIBRARY}/documents/d"
KEYS = 6
"""The chunks of a round, few enough that operations of different clients meet on one."""
CHANGES = frozenset(("write", "delete"))
_TIMEOUT_S = 5.0
_PAUSE_S = 0.01
_FAILED_PAUSE_S = 0.1
"""The time between two operations: a node that is down refuses thousands a second."""
_CONSISTENCIES = ("strong", "session", "eventual")
_OPS = ("write", "write", "delete", "read", "read", "search")


class Recorder:
    """The operations of all clients, by one clock, with values that no two writes share."""

    def __init__(self) -> None:
        self.operations: list[dict[str, Any]] = []
        self._values = count(1)
        self._lock = threading.Lock()

    def next_value(self) -> int:
        with self._lock:
            return next(self._values)

    def add(self, operation: dict[str, Any]) -> None:
        with self._lock:
            self.operations.append(operation)

    @property
    def acknowledged(self) -> list[dict[str, Any]]:
        """Return the acknowledged writes and deletes."""
        with self._lock:
            return [o for o in self.operations if o["outcome"] == "ok" and o["op"] in CHANGES]


class Client:
    """One process of a history, which asks nodes by turns and keeps a session's position."""

    def __init__(
        self,
        process: int,
        nodes: Mapping[str, str],
        keys: Sequence[str],
        recorder: Recorder,
        consistencies: Sequence[str],
    ) -> None:
        """`nodes`: URLs by name."""
        self._process = process
        self._nodes = nodes
        self._keys = keys
        self._recorder = recorder
        self._consistencies = consistencies
        self._rng = random.Random(f"{process} {keys[0]}")
        self._position = 0
        self._http = httpx.Client(headers=HEADERS, timeout=_TIMEOUT_S, trust_env=False)

    def run_until(self, ended: Callable[[], bool]) -> None:
        names = list(self._nodes)
        with self._http:
            while not ended():
                op, key = self._rng.choice(_OPS), self._rng.choice(self._keys)
                outcome = self.do(op, key, self._rng.choice(names))
                time.sleep(_PAUSE_S if outcome == "ok" else _FAILED_PAUSE_S)

    def reads(self, key: str, node: str, consistency: str) -> bool:
        """Read a chunk in the end; return whether the node has answered."""
        self._consistencies = (consistency,)
        return self.do("read", key, node, final=True) == "ok"

    def do(self, op: str, key: str, node: str, *, final: bool = False) -> str:
        """Do one operation, and record it; return its outcome."""
        changes = op in CHANGES
        consistency = "strong" if changes else self._rng.choice(self._consistencies)
        value = self._recorder.next_value() if op == "write" else None
        headers = {"Nalanda-Consistency": consistency}
        if consistency == "session":
            headers["Nalanda-Min-Position"] = str(self._position)
        invoke_ns = time.monotonic_ns()
        outcome, position = "unknown", None
        try:
            answer = self._send(op, key, value, self._nodes[node], headers)
        except httpx.ConnectError:
            outcome = "fail"
        except httpx.TransportError:
            outcome = "unknown" if changes else "fail"
        else:
            outcome = outcome_of(op, answer.status_code)
            if outcome == "ok":
                position = int(answer.headers["Nalanda-Position"])
                value = value if changes else value_of(op, answer)
                if consistency != "eventual":
                    self._position = max(self._position, position)
        self._recorder.add(
            {
                "process": self._process,
                "op": op,
                "key": key,
                "value": value,
                "consistency": consistency,
                "invoke_ns": invoke_ns,
                "complete_ns": time.monotonic_ns(),
                "outcome": outcome,
                "position": position,
                "node": node,
                "final": final,
            }
        )
        return outcome

    def _send(
        self, op: str, key: str, value: int | None, node: str, headers: dict[str, str]
    ) -> httpx.Response:
        library = f"{node}/libraries/{LIBRARY}"
        only: dict[str, Any] = {"field": "key", "op": "eq", "value": key}
        body: dict[str, Any] = {"embedding": [1.0, 2.0]}
        match op:
            case "write":
                metadata = {"key": key, "value": value}
                body |= {"document_id": "d", "text": key, "metadata": metadata}
                return self._http.put(f"{library}/chunks/{key}", json=body)
            case "delete":
                return self._http.delete(f"{library}/chunks/{key}")
            case "search":
                body |= {"k": 1, "filter": only, "include": ["metadata"]}
                return self._http.post(f"{library}/search", json=body, headers=headers)
            case _:
                return self._http.get(f"{library}/chunks/{key}", headers=headers)


def outcome_of(op: str, status: int) -> str:
    """Return what a status says: after a 5xx, a write may still have been done."""
    if status < 300 or (op == "read" and status == httpx.codes.NOT_FOUND):
        return "ok"
    return "unknown" if status >= 500 and op in CHANGES else "fail"


def value_of(op: str, answer: httpx.Response) -> int | None:
    """Return the value of the chunk that a read or a search saw; `None` if it saw none."""
    if answer.status_code == httpx.codes.NOT_FOUND:
        return None
    chunks = answer.json()["hits"] if op == "search" else [answer.json()]
    return int(chunks[0]["metadata"]["value"]) if chunks else None


def prepare(node: str) -> None:
    """Create the library and the document that all chunks belong to."""
    with httpx.Client(base_url=node, headers=HEADERS, timeout=60, trust_env=False) as http:
        library = {"name": LIBRARY, "dimension": 2}
        http.post("/libraries", json=library).raise_for_status()
        http.put(DOCUMENT, json={"title": "Histories", "chunks": []}).raise_for_status()


def consistencies(names: str) -> tuple[str, ...]:
    """Return the consistencies that reads ask for, from their names with commas.

    Raises:
        ValueError: a name is none of them.
    """
    chosen = tuple(names.split(","))
    if not set(chosen) <= set(_CONSISTENCIES):
        raise ValueError(f"{names!r} has other names than {', '.join(_CONSISTENCIES)}.")
    return chosen
