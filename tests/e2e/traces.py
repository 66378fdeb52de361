"""A stack whose traces go to a collector, and its questions."""

import httpx

from nalanda import Nalanda
from tests.cohere_server import CohereServer
from tests.e2e.stack import Stack

KEY = "sk-test-0123456789"
QUESTION = "How deep is the harbour of Tamralipti?"
TEXTS = ["The harbour of Tamralipti is nine fathoms deep.", "Caravans carry horses and pearls."]
CLIENT_SPAN = "b7ad6b7169203331"


def traced(stack: Stack, provider: CohereServer, collector_url: str) -> None:
    """Let a stack send its traces to the collector, and call a local provider."""
    environment = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector_url,
        "OTEL_BSP_SCHEDULE_DELAY": "100",
        "CO_API_KEY": KEY,
        "CO_API_URL": provider.url,
    }
    stack.environments = {"api": environment, "worker": environment}


def fill(client: Nalanda) -> None:
    client.libraries.create("ports")
    for text in TEXTS:
        client.documents.create("ports", title=text[:9], chunks=[{"text": text}])


def ask(stack: Stack, trace_id: str, wait_s: int | None = 60) -> httpx.Response:
    """Ask as a client whose trace this is."""
    return httpx.post(
        f"{stack.api_url}/query",
        params={} if wait_s is None else {"wait_s": wait_s},
        json={"library": "ports", "query": QUESTION},
        headers={"traceparent": f"00-{trace_id}-{CLIENT_SPAN}-01"},
        timeout=120,
        trust_env=False,
    )
