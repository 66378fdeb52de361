"""Generated searches: ordinary ones, and such as break one rule or another."""

import json
import random
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

DIMENSION = 4
LIBRARY = "compared"

_ODD_NUMBERS = (
    "-0",
    "-0.0",
    "0",
    "1",
    "01",
    "1.",
    ".5",
    "+1",
    "1e5",
    "1E-5",
    "1e400",
    "-1e400",
    "1e39",
    "1e-46",
    "NaN",
    "Infinity",
    "true",
    "false",
    "null",
    '"1"',
    "[1]",
    "{}",
    "123456789012345678901234567890",
    "0.1000000014901161193847656250000000000000001",
    "1.00000005960464477539",
    "3.4028235e38",
    "1e",
    "",
)
_ODD_EMBEDDINGS = (
    "null",
    "[]",
    '""',
    "1",
    "{}",
    '"AAAA"',
    '"####"',
    '"AACAPwAAgD8AAIA/AACAPw=="',
    "[1,0,0,0,]",
    "[",
    '"AACAPwAAgD8AAIA/AACAfw=="',
    '"AACAPwAAgD8AAIA/AACA\\/w=="',
    "[0,0,0,0]",
    "[1,0,0]",
    "[1 0 0 0]",
)
_VALUES = {
    "k": (
        "1",
        "2",
        "3",
        "10",
        "50",
        "51",
        "10000",
        "0",
        "-1",
        "10001",
        "1.0",
        "true",
        '"3"',
        "null",
        "1e1",
    ),
    "include": (
        "[]",
        '["text"]',
        '["metadata"]',
        '["text","metadata"]',
        '["text","text"]',
        '["document"]',
        '["embedding"]',
        '["soul"]',
        "[1]",
        "[[]]",
        "null",
        '"text"',
        "{}",
        json.dumps(["text"] * 17),
    ),
    "exact": ("true", "false", "0", "null", '"true"'),
    "mode": ('"vector"', '"lexical"', '"hybrid"', '"psychic"', "null", "1", '"\\u0076ector"'),
    "parameters": (
        "{}",
        "null",
        '{"ef":50}',
        '{"ef":0}',
        '{"ef":1.5}',
        '{"target_recall":0.99}',
        '{"eff":1}',
        "[]",
        '{"target_recall":1}',
        '{"nprobe":null}',
        '{"embedding":[1,0,0,0]}',
        '{"ef":true}',
    ),
    "embedding_model": ('"wordllama"', '"none"', "null", "1", '"\\"embedding\\":[1,2,3,4]"'),
    "filter": ('{"field":"n","op":"lt","value":5}', "null", "[]", '{"embedding":[1,0,0,0]}'),
    "text": ('"alpha"', "null", '""', "1"),
    "group_by": ('"document_id"', "null", '"text"'),
    "weights": ("null", '{"vector":1,"lexical":1}', "{}"),
    "top_k": ("3",),
    "\\u006b": ("2",),
    "\\u0065mbedding": ("[0,1,0,0]", "null"),
    "embedding": ("[0,1,0,0]", "null", "[1"),
}
_HEADERS = (
    ("Content-Type", "application/json; charset=utf-8"),
    ("Content-Type", "text/plain"),
    ("Content-Encoding", "gzip"),
    ("Idempotency-Key", "key"),
    ("Nalanda-Min-Position", "1"),
    ("Nalanda-Min-Position", "999999"),
    ("Nalanda-Min-Position", "-1"),
    ("Nalanda-Min-Position", "1.5"),
    ("Nalanda-Consistency", "eventual"),
    ("Nalanda-Consistency", "session"),
    ("Nalanda-Consistency", "strong"),
    ("Nalanda-Consistency", "whole"),
    ("Nalanda-Consistency", ""),
    ("Nalanda-Instance", "another"),
    ("Origin", "http://elsewhere.example"),
    ("Host", "elsewhere.example"),
)
_LIBRARIES = ("unknown", "%63ompared", "compared%2F", "", "a" * 3_000)


@dataclass(frozen=True, slots=True)
class GeneratedSearch:
    """A search: the library in its path, its body, and headers apart from the usual ones."""

    library: str
    body: bytes
    headers: list[tuple[str, str]] = field(default_factory=list)


def generate(count: int, seed: int) -> Iterator[GeneratedSearch]:
    """Yield searches, half of them without a fault."""
    rng = random.Random(seed)
    for _ in range(count):
        library = rng.choice(_LIBRARIES) if rng.random() < 0.02 else LIBRARY
        headers = [rng.choice(_HEADERS)] if rng.random() < 0.1 else []
        if rng.random() < 0.15:
            octets = ("Content-Type", "application/octet-stream")
            yield GeneratedSearch(library, _binary_body(rng), [octets, *headers])
        else:
            yield GeneratedSearch(library, _body(rng), headers)


def _body(rng: random.Random) -> bytes:
    members = [("embedding", _embedding(rng))]
    if rng.random() < 0.5:
        members.append(("k", str(rng.randint(1, 20))))
    if rng.random() < 0.4:
        members.append(_member(rng))
    if rng.random() < 0.1:
        members.append(_member(rng))
    rng.shuffle(members)
    colon, comma = rng.choice([(":", ","), (": ", ", "), (" :\n", "\t,\r\n")])
    text = "{" + comma.join(f'"{name}"{colon}{value}' for name, value in members) + "}"
    body = text.encode()
    return _damaged(rng, body) if rng.random() < 0.1 else body


def _binary_body(rng: random.Random) -> bytes:
    members = [_member(rng) for _ in range(rng.choice([0, 0, 1, 1, 2]))]
    line = "{" + ",".join(f'"{name}":{value}' for name, value in members) + "}"
    size = DIMENSION if rng.random() < 0.9 else rng.randrange(8)
    vector = np.array([rng.gauss(0, 1) for _ in range(size)], "<f4")
    body = line.encode() + b"\n" + vector.tobytes()
    return _damaged(rng, body) if rng.random() < 0.2 else body


def _member(rng: random.Random) -> tuple[str, str]:
    name = rng.choice(list(_VALUES))
    return name, rng.choice(_VALUES[name])


def _embedding(rng: random.Random) -> str:
    chance = rng.random()
    if chance < 0.05:
        return rng.choice(_ODD_EMBEDDINGS)
    vector = np.array([rng.gauss(0, 1) for _ in range(DIMENSION)], np.float32)
    if chance < 0.3:
        return json.dumps(b64encode(vector.tobytes()).decode())
    numbers = [_number(rng, value) for value in vector.tolist()]
    if chance < 0.4:
        numbers[rng.randrange(DIMENSION)] = rng.choice(_ODD_NUMBERS)
    return "[" + rng.choice([",", ", ", "\n,\n"]).join(numbers) + "]"


def _number(rng: random.Random, value: float) -> str:
    forms = (repr(value), f"{value:.3f}", f"{value:.25e}", f"{value:g}", repr(value * rng.random()))
    return rng.choice(forms)


def _damaged(rng: random.Random, body: bytes) -> bytes:
    at = rng.randrange(len(body))
    other = bytes([rng.choice(b'{}[]",:0019eE+-.\\ \n\x00\xff')])
    return body[:at] + rng.choice([b"", other, other + body[at : at + 1]]) + body[at + 1 :]
