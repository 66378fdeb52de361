"""A local HTTP server with the wire shapes of Cohere's v2 API: embed, rerank and chat.

Its embeddings are hashed bags of words, so that search finds texts with shared words. Its chat
quotes the document that shares the most words with the question. In a test:

    with CohereServer() as server:
        server.fail_next(rate_limited("7"))
        ...  # point CO_API_URL to server.url

or as a process, which prints its URL: `python -m tests.cohere_server --port 0`.
"""

import argparse
import json
import re
import threading
import zlib
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import numpy as np

_HELD_AT_MOST_S = 60.0


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


def refusal(status: int, message: str = "no") -> Fault:
    return Fault(status=status, body=json.dumps({"message": message}).encode())


def rate_limited(retry_after: str) -> Fault:
    return Fault(429, b'{"message": "too many requests"}', {"Retry-After": retry_after})


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


class CohereServer:
    """A server on a thread, at `127.0.0.1`; port 0 takes a free one."""

    def __init__(self, port: int = 0) -> None:
        self.received: list[Received] = []
        self._faults: deque[Fault] = deque()
        self._http = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,))

    def fail_next(self, fault: Fault, times: int = 1) -> None:
        """Give the next `times` requests this fault, after those already queued."""
        self._faults.extend([fault] * times)

    def next_fault(self) -> Fault:
        try:
            return self._faults.popleft()
        except IndexError:
            return Fault()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def wait(self) -> None:
        """Wait for the end of the serving thread, or for Ctrl-C."""
        self._thread.join()


def _handler(server: CohereServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            server.received.append(Received(self.path, dict(self.headers), body))
            fault = server.next_fault()
            if fault.release is not None:
                fault.release.wait(_HELD_AT_MOST_S)
            status, answer = _respond(self.path, self.headers.get("Authorization"), body)
            if fault.body is not None or fault.status != 200:
                status, answer = fault.status, fault.body or b""
            self._send(status, answer, fault)

        def _send(self, status: int, answer: bytes, fault: Fault) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            for name, value in fault.headers.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                self.wfile.write(answer[: len(answer) // 2] if fault.cut else answer)
            except OSError:
                self.close_connection = True  # the client closed the connection

        def log_message(self, format: str, *args: object) -> None:
            """Log nothing: `received` has the requests."""

    return Handler


def _respond(path: str, authorization: str | None, body: dict[str, Any]) -> tuple[int, bytes]:
    good = {"/v2/embed": _embed, "/v2/rerank": _rerank, "/v2/chat": _chat}
    if not (authorization or "").startswith("Bearer "):
        return 401, b'{"message": "no api key supplied"}'
    if path not in good:
        return 404, b'{"message": "not found"}'
    if path == "/v2/embed" and len(body["texts"]) > 96:
        return 400, b'{"message": "at most 96 texts a call"}'
    return 200, json.dumps(good[path](body)).encode()


def _embed(body: dict[str, Any]) -> dict[str, Any]:
    texts, dimension = body["texts"], body.get("output_dimension", 1536)
    return {
        "id": "embed-1",
        "response_type": "embeddings_by_type",
        "texts": texts,
        "embeddings": {"float": [_hashed(text, dimension) for text in texts]},
        "meta": {
            "api_version": {"version": "2"},
            "billed_units": {"input_tokens": sum(len(_words(text)) for text in texts)},
        },
    }


def _rerank(body: dict[str, Any]) -> dict[str, Any]:
    scores = [_overlap(body["query"], document) for document in body["documents"]]
    order = sorted(range(len(scores)), key=lambda index: (-scores[index], index))
    return {
        "id": "rerank-1",
        "results": [
            {"index": index, "relevance_score": scores[index]}
            for index in order[: body.get("top_n", len(order))]
        ],
        "meta": {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}},
    }


def _chat(body: dict[str, Any]) -> dict[str, Any]:
    question = body["messages"][-1]["content"]
    documents = body["documents"]
    source = max(documents, key=lambda document: _overlap(question, document["data"]["text"]))
    sentences = re.split(r"(?<=[.!?])\s+", source["data"]["text"].strip())
    quote = max(sentences, key=lambda sentence: _overlap(question, sentence))
    answer = f"The documents say: {quote}"
    cited = {
        "start": len(answer) - len(quote),
        "end": len(answer),
        "text": quote,
        "sources": [
            {
                "type": "document",
                "id": source["id"],
                "document": {"id": source["id"], **source["data"]},
            }
        ],
        "type": "TEXT_CONTENT",
    }
    billed = {"input_tokens": len(_words(question)), "output_tokens": len(_words(answer))}
    return {
        "id": "chat-1",
        "finish_reason": "COMPLETE",
        "message": {
            "role": "assistant",
            "content": [{"type": "text", "text": answer}],
            "citations": [cited],
        },
        "usage": {"billed_units": billed, "tokens": billed},
    }


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _overlap(query: str, text: str) -> float:
    """Return the share of the query's words that the text contains."""
    asked = set(_words(query))
    return len(asked & set(_words(text))) / max(len(asked), 1)


def _hashed(text: str, dimension: int) -> list[float]:
    """Return a unit vector; the constant keeps an empty text's vector from being zero."""
    vector = np.full(dimension, 1e-3)
    for word in _words(text):
        hashed = zlib.crc32(word.encode())
        vector[hashed % dimension] += 1 if hashed & 1 << 31 else -1
    return [float(value) for value in vector / np.linalg.norm(vector)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--port", type=int, default=0)
    with CohereServer(parser.parse_args().port) as server:
        print(server.url, flush=True)
        server.wait()


if __name__ == "__main__":
    main()
