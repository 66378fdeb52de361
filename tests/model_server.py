"""A local HTTP server in the place of a model provider's, with faults on request.

A subclass gives the good responses. In a test:

    with CohereServer() as server:
        server.fail_next(rate_limited("7"))
        ...  # point the provider's URL to server.url
"""

import argparse
import json
import re
import threading
import zlib
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

import numpy as np
from pydantic import SecretStr

from tests.threaded_server import ThreadedServer

_HELD_AT_MOST_S = 60.0


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes
    content_type: str = "application/json"


@dataclass(frozen=True)
class Fault:
    """A fault in place of a good response.

    `body` None keeps the good response; `cut` closes the connection in its middle; `release` delays
    it until the event is set.
    """

    status: int = 200
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    release: threading.Event | None = None


CUT = Fault(cut=True)
MALFORMED = Fault(body=b'{"id": "1", "embeddings": {"flo')


def held(release: threading.Event) -> Fault:
    return Fault(release=release)


def answering(body: object) -> Fault:
    """Return a response with any JSON and status 200, for malformed responses."""
    return Fault(body=json.dumps(body).encode())


@dataclass(frozen=True)
class Received:
    path: str
    headers: dict[str, str]
    body: dict[str, Any]


class ModelServer(ThreadedServer):
    """A server with scripted faults; port 0 takes a free one.

    Its chat model condenses a follow-up to its value in `rewritten`, else repeats it.
    """

    def __init__(self, port: int = 0) -> None:
        self.received: list[Received] = []
        self.rewritten: dict[str, str] = {}
        self._faults: deque[Fault] = deque()
        super().__init__(_handler(self), port)

    def respond(self, path: str, authorization: str | None, body: dict[str, Any]) -> Reply:
        """Return the good response to a request."""
        raise NotImplementedError

    def condense(self, message: str) -> str | None:
        """Return the condensed question, or `None` if the message asks for something else."""
        _, asked, follow_up = message.rpartition("Last question: ")
        return self.rewritten.get(follow_up, follow_up) if asked else None

    def fail_next(self, fault: Fault, times: int = 1) -> None:
        """Give the next `times` requests this fault, after those already queued."""
        self._faults.extend([fault] * times)

    def next_fault(self) -> Fault:
        try:
            return self._faults.popleft()
        except IndexError:
            return Fault()

    def settings(self, key: str | SecretStr) -> dict[str, Any]:
        """Return the settings of each provider that calls this server."""
        return {
            "cohere_api_key": key,
            "cohere_api_url": self.url,
            "openai_api_key": key,
            "openai_base_url": self.url,
            "openai_embed_model": "embedder",
            "openai_rerank_model": "reranker",
            "openai_answer_model": "chat",
        }


def _handler(server: ModelServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            server.received.append(Received(self.path, dict(self.headers), body))
            fault = server.next_fault()
            if fault.release is not None:
                fault.release.wait(_HELD_AT_MOST_S)
            reply = server.respond(self.path, self.headers.get("Authorization"), body)
            if fault.body is not None or fault.status != 200:
                reply = Reply(fault.status, fault.body or b"")
            self._send(reply, fault)

        def _send(self, reply: Reply, fault: Fault) -> None:
            self.send_response(reply.status)
            headers = {
                "Content-Type": reply.content_type,
                "Content-Length": str(len(reply.body)),
                **fault.headers,
            }
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                self.wfile.write(reply.body[: len(reply.body) // 2] if fault.cut else reply.body)
            except OSError:
                self.close_connection = True  # the client closed the connection

        def log_message(self, format: str, *args: object) -> None:
            """Log nothing: `received` has the requests."""

    return Handler


def as_json(body: object, status: int = 200) -> Reply:
    return Reply(status, json.dumps(body).encode())


def split_words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def overlap(query: str, text: str) -> float:
    """Return the share of the query's words that the text contains."""
    asked = set(split_words(query))
    return len(asked & set(split_words(text))) / max(len(asked), 1)


def best_sentence(question: str, text: str) -> str:
    """Return the sentence that shares most words with the question."""
    sentences = re.split(r"(?<=[.!?])\s+", text.strip())
    return max(sentences, key=lambda sentence: overlap(question, sentence))


def hashed(text: str, dimension: int) -> list[float]:
    """Return a unit vector; the constant keeps an empty text's vector from being zero."""
    vector = np.full(dimension, 1e-3)
    for word in split_words(text):
        crc = zlib.crc32(word.encode())
        vector[crc % dimension] += 1 if crc & 1 << 31 else -1
    return [float(value) for value in vector / np.linalg.norm(vector)]


def serve(kind: type[ModelServer]) -> None:
    """Run a server as a process, which prints its URL."""
    parser = argparse.ArgumentParser(description=kind.__doc__)
    parser.add_argument("--port", type=int, default=0)
    with kind(parser.parse_args().port) as server:
        print(server.url, flush=True)
        server.wait()
