"""A local server with the wire shapes of OpenAI's API: embeddings, chat with streaming, rerank.

Its embeddings are hashed bags of words. Its chat quotes the numbered source that shares the most
words with the question, and names its number. `/v1/rerank` is the one of vLLM and llama.cpp. As a
process it prints its URL: `python -m tests.openai_server --port 0`.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.model_server import (
    Fault,
    ModelServer,
    Reply,
    as_json,
    best_sentence,
    hashed,
    overlap,
    serve,
    split_words,
)

DIMENSION = 48
MODELS = {"embedder", "chat", "reranker"}
_MAX_TEXTS = 32
_SOURCE = re.compile(r"^\[(\d+)\]\n(.*?)(?=^\[\d+\]\n|^Question: )", re.DOTALL | re.MULTILINE)


def _vectors(*rows: object) -> dict[str, object]:
    return {"data": [{"index": index, "embedding": row} for index, row in enumerate(rows)]}


WRONG_SHAPES: list[object] = [
    None,
    "text",
    [],
    {},
    {"data": None},
    {"data": []},
    {"data": [3]},
    _vectors([]),
    _vectors(3),
    _vectors(["a"]),
    _vectors([1.0], [2.0]),
    _vectors([float("nan")]),
    {"data": [{"index": 1, "embedding": [1.0]}]},
    {"results": None},
    {"results": [3, 3]},
    {"results": [{"index": 0, "relevance_score": 1.0}] * 2},
    {"results": [{"index": n, "relevance_score": 1.0} for n in (2, 3)]},
    {"results": [{"index": n, "relevance_score": None} for n in (0, 1)]},
    {"results": [{"index": n, "relevance_score": float("nan")} for n in (0, 1)]},
    {"results": [{"index": 0, "relevance_score": 1.0}]},
    {"choices": [{"message": {"content": "Yes."}}]},
]
"""Answers that no call can use."""


def error_body(message: str, code: str | None = None, param: str | None = None) -> bytes:
    said = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return json.dumps({"error": said}).encode()


def refusal(status: int, message: str = "no", code: str | None = None) -> Fault:
    return Fault(status, error_body(message, code))


def rate_limited(retry_after: str) -> Fault:
    return Fault(429, error_body("too many requests"), {"Retry-After": retry_after})


class OpenAIServer(ModelServer):
    """A server with the wire shapes of OpenAI's API; `url` includes `/v1`."""

    def __init__(self, port: int = 0) -> None:
        super().__init__(port)
        self.url += "/v1"

    def respond(self, path: str, authorization: str | None, body: dict[str, Any]) -> Reply:
        good = {
            "/v1/embeddings": _embeddings,
            "/v1/rerank": _rerank,
            "/v1/chat/completions": self._chat,
        }
        if not (authorization or "").startswith("Bearer "):
            return Reply(401, error_body("You didn't provide an API key."))
        if path not in good:
            return Reply(404, error_body("not found"))
        if body["model"] not in MODELS:
            name = body["model"]
            return Reply(404, error_body(f"The model `{name}` does not exist", "model_not_found"))
        return good[path](body)

    def _chat(self, body: dict[str, Any]) -> Reply:
        message = body["messages"][-1]["content"]
        assert body["stream"]
        text = self.condense(message) or _answer(message)
        events = b"".join(b"data: %s\n\n" % event for event in _events(text))
        return Reply(200, events, "text/event-stream")


def _embeddings(body: dict[str, Any]) -> Reply:
    texts = body["input"]
    if len(texts) > _MAX_TEXTS:
        return Reply(422, error_body(f"batch size {len(texts)} > maximum {_MAX_TEXTS}"))
    used = sum(len(split_words(text)) for text in texts)
    dimension = body.get("dimensions", DIMENSION)
    rows = [
        {"object": "embedding", "index": index, "embedding": hashed(text, dimension)}
        for index, text in enumerate(texts)
    ]
    usage = {"prompt_tokens": used, "total_tokens": used}
    return as_json({"object": "list", "model": body["model"], "data": rows, "usage": usage})


def _rerank(body: dict[str, Any]) -> Reply:
    scores = [overlap(body["query"], document) for document in body["documents"]]
    order = sorted(range(len(scores)), key=lambda index: (-scores[index], index))
    results = [{"index": index, "relevance_score": scores[index]} for index in order]
    usage = {"total_tokens": 7}
    return as_json({"model": body["model"], "results": results[: body["top_n"]], "usage": usage})


def _answer(message: str) -> str:
    question = message.rpartition("Question: ")[2]
    number, text = max(_SOURCE.findall(message), key=lambda source: overlap(question, source[1]))
    return f"The sources say so. {best_sentence(question, text)} [{number}]"


def _events(answer: str) -> Iterator[bytes]:
    """Yield the answer a word at a time, its end, and the usage."""
    for word in re.findall(r"\S+\s*", answer):
        yield _chunk({"delta": {"content": word}, "finish_reason": None, "index": 0})
    yield _chunk({"delta": {}, "finish_reason": "stop", "index": 0})
    usage = {"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16}
    yield _chunk(None, usage)
    yield b"[DONE]"


def _chunk(choice: dict[str, Any] | None, usage: dict[str, int] | None = None) -> bytes:
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "chat"}
    choices = [] if choice is None else [choice]
    return json.dumps({**chunk, "choices": choices, "usage": usage}).encode()


if __name__ == "__main__":
    serve(OpenAIServer)
