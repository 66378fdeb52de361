"""Many rows at once, so that a library has segments besides its delta."""

import httpx

from tests.crash.ledger import Entry, Ledger
from tests.crash.model import BULK, Kind, Namespace, Write
from tests.crash.requests import request_of

LIBRARY = "hnsw"
_DOCUMENTS = 5
_CHUNKS = 900


def write_bulk(api: httpx.Client, ledger: Ledger) -> None:
    """Write a few documents of many chunks, by a writer that writes nothing afterwards."""
    for number in range(_DOCUMENTS):
        names = tuple(f"c{BULK}-{number}-{i}" for i in range(_CHUNKS))
        write = Write(number, BULK, Kind.PUT_DOCUMENT, LIBRARY, f"d{BULK}-{number}", names)
        request = request_of(write, Namespace())
        answer = api.request(request.method, request.path, json=request.body)
        answer.raise_for_status()
        ledger.enter(Entry(write, int(answer.headers["Nalanda-Position"])))
