"""Entities of the fuzzed server, so that calls get further than a 404."""

from typing import Any

import httpx

from tests.e2e.stack import Stack
from tests.waiting import until

NAME = "seeded"
LIBRARY = {"name": NAME, "dimension": 2}
CHUNK = {"document_id": NAME, "text": "seeded words", "embedding": [1, 0]}
QUESTION = {"library": NAME, "query": "Which words?", "mode": "lexical"}
QUESTIONS = {"workflow_id", "other_id"}
PARAMETERS = {"library_id", "document_id", "chunk_id", *QUESTIONS}


class Seeds:
    """A library, a document and a chunk of one name, and an answered question."""

    def __init__(self, stack: Stack) -> None:
        self._http = httpx.Client(base_url=stack.api_url, timeout=60, trust_env=False)
        self._workflow_id = ""
        self.put()

    def put(self) -> None:
        """Restore the entities that an operation may have deleted."""
        for path, body in (
            (f"/libraries/{NAME}", LIBRARY),
            (f"/libraries/{NAME}/documents/{NAME}", {}),
            (f"/libraries/{NAME}/chunks/{NAME}", CHUNK),
        ):
            self._http.put(path, json=body).raise_for_status()
        if self._question().get("status") != "completed":
            asked = self._http.post("/query", params={"wait_s": 60}, json=QUESTION)
            self._workflow_id = asked.raise_for_status().json()["workflow_id"]
            until(lambda: self._question()["status"] == "completed")

    def plant(self, case: Any) -> None:
        """Insert the names of existing entities into a generated call."""
        for name in set(case.path_parameters) & PARAMETERS:
            case.path_parameters[name] = self._workflow_id if name in QUESTIONS else NAME
        if isinstance(case.body, dict):
            self._plant_in(case.body)
            for name in ("searches", "chunks"):
                items = case.body.get(name)
                for item in items if isinstance(items, list) else ():
                    self._plant_in(item)

    def _plant_in(self, body: Any) -> None:
        """Insert names into a body, and give vectors the library's dimension."""
        for name, value in {"library": NAME, "document_id": NAME, "embedding": [1, 0]}.items():
            if isinstance(body, dict) and name in body:
                body[name] = value

    def _question(self) -> Any:
        return self._http.get(f"/query/{self._workflow_id or 'none'}").json()
