"""A local server with the wire shapes of Cohere's v2 API: embed, rerank and chat.

Its embeddings are hashed bags of words, so that search finds texts with shared words. Its chat
quotes the document that shares the most words with the question. As a process it prints its URL:
`python -m tests.cohere_server --port 0`.
"""

import json
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


def refusal(status: int, message: str = "no") -> Fault:
    return Fault(status=status, body=json.dumps({"message": message}).encode())


def rate_limited(retry_after: str) -> Fault:
    return Fault(429, b'{"message": "too many requests"}', {"Retry-After": retry_after})


class CohereServer(ModelServer):
    """A server with the wire shapes of Cohere's v2 API."""

    def respond(self, path: str, authorization: str | None, body: dict[str, Any]) -> Reply:
        good = {"/v2/embed": _embed, "/v2/rerank": _rerank, "/v2/chat": self._chat}
        if not (authorization or "").startswith("Bearer "):
            return as_json({"message": "no api key supplied"}, 401)
        if path not in good:
            return as_json({"message": "not found"}, 404)
        if path == "/v2/embed" and len(body["texts"]) > 96:
            return as_json({"message": "at most 96 texts a call"}, 400)
        return as_json(good[path](body))

    def _chat(self, body: dict[str, Any]) -> dict[str, Any]:
        condensed = self.condense(body["messages"][-1]["content"])
        return _answer(body) if condensed is None else _message(condensed, [])


def _embed(body: dict[str, Any]) -> dict[str, Any]:
    texts, dimension = body["texts"], body.get("output_dimension", 1536)
    return {
        "id": "embed-1",
        "response_type": "embeddings_by_type",
        "texts": texts,
        "embeddings": {"float": [hashed(text, dimension) for text in texts]},
        "meta": {
            "api_version": {"version": "2"},
            "billed_units": {"input_tokens": sum(len(split_words(text)) for text in texts)},
        },
    }


def _rerank(body: dict[str, Any]) -> dict[str, Any]:
    scores = [overlap(body["query"], document) for document in body["documents"]]
    order = sorted(range(len(scores)), key=lambda index: (-scores[index], index))
    return {
        "id": "rerank-1",
        "results": [
            {"index": index, "relevance_score": scores[index]}
            for index in order[: body.get("top_n", len(order))]
        ],
        "meta": {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}},
    }


def _answer(body: dict[str, Any]) -> dict[str, Any]:
    question = body["messages"][-1]["content"]
    documents = body["documents"]
    source = max(documents, key=lambda document: overlap(question, document["data"]["text"]))
    quote = best_sentence(question, source["data"]["text"])
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
    return _message(answer, [cited])


def _message(text: str, citations: list[dict[str, Any]]) -> dict[str, Any]:
    billed = {"input_tokens": 9, "output_tokens": len(split_words(text))}
    return {
        "id": "chat-1",
        "finish_reason": "COMPLETE",
        "message": {
            "role": "assistant",
            "content": [{"type": "text", "text": text}],
            "citations": citations,
        },
        "usage": {"billed_units": billed, "tokens": billed},
    }


if __name__ == "__main__":
    serve(CohereServer)
