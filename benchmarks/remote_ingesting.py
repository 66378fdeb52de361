"""`make bench ARGS="ingesting remote"`: small files and a provider whose calls take 100 ms each.

The provider is a local server with the wire shape of OpenAI's API. Files are ingested by a
workflow, and by a plain loop, which writes one document after the other.
"""

import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.index.report import write
from nalanda import IngestItemOptions, Nalanda
from tests.chaos.files import TEXTS, make_files
from tests.e2e.stack import Stack, second_model
from tests.model_server import Reply
from tests.openai_server import OpenAIServer

FILES = 500
CALL_S = 0.1
MODEL = "embedder"


class SlowServer(OpenAIServer):
    """A server whose calls take `CALL_S` each, and the number of texts of each call."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[int] = []

    def respond(self, path: str, authorization: str | None, body: dict[str, Any]) -> Reply:
        time.sleep(CALL_S)
        self.texts.append(len(body["input"]))
        return super().respond(path, authorization, body)


async def main() -> None:
    files = make_files(FILES, sections=1, kinds={"md": TEXTS["md"]})
    with (
        SlowServer() as models,
        tempfile.TemporaryDirectory() as folder,
        Stack(Path(folder)) as stack,
    ):
        stack.environments = dict.fromkeys(("api", "worker"), second_model(models))
        stack.start_all()
        with stack.client() as client:
            measured = {
                name: _measure(client, name, models, files) for name in ("workflow", "loop")
            }
    for name, numbers in measured.items():
        print(f"  {name:10} {numbers}", flush=True)
    write("ingesting-remotely", measured)


def _measure(
    client: Nalanda, name: str, models: SlowServer, files: dict[str, bytes]
) -> dict[str, float]:
    client.libraries.create(name, embedding_model=MODEL)
    models.texts.clear()
    began = time.perf_counter()
    if name == "workflow":
        items = [IngestItemOptions(source=source, content=files[source]) for source in files]
        handle = client.ingestions.start(name, items)
        state = client.ingestions.wait(handle.workflow_id)
        assert state.files.added == len(files), state
    else:
        for source, content in files.items():
            client.documents.create(name, source=source, text=content.decode())
    took_s = time.perf_counter() - began
    return {
        "files a second": round(len(files) / took_s, 1),
        "calls": len(models.texts),
        "texts a call": round(sum(models.texts) / len(models.texts), 1),
    }
