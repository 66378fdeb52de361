"""The second film: how Nalanda works, from its code and from measured figures."""

import json
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from video.drawing import title_card
from video.film import Film
from video.slides import Box, Step, bars, parts, walk

_FIGURES = Path(__file__).resolve().parents[1] / "docs" / "benchmarks"
_NARRATION = tomllib.loads(Path(__file__).with_suffix(".toml").read_text())
_SLIDE_S = 8.0
_BOXES = {
    "client": (0, 3, "REST, SDK, command, page"),
    "API server": (3.2, 1.2, "owns the record and the index"),
    "Temporal": (3.2, 5, "owns the state of each question"),
    "worker": (6.4, 5, "owns nothing; runs stages"),
    "record": (6.4, 0, "SQLite file, or PostgreSQL"),
    "index": (6.4, 2.2, "in memory and in mapped files, with checkpoints"),
}
_ARROWS = (
    ("client", "API server"),
    ("API server", "Temporal"),
    ("worker", "Temporal"),
    ("worker", "API server"),
    ("API server", "record"),
    ("API server", "index"),
)


def record(_folder: Path) -> Film:
    """Draw the film's slides, and return it.

    Raises:
        ImportError, AttributeError: a step's function is gone.
    """
    film = Film()
    _add(film, _NARRATION["title"], title_card("Nalanda", "how it works"))
    _add_parts(film)
    _add_walk(film, "A search", _NARRATION["search"])
    _add_search_figures(film)
    _add_walk(film, "A write", _NARRATION["write"])
    _add_write_figures(film)
    _add_walk(film, "A question", _NARRATION["question"])
    _add_walk(film, "A failover", _NARRATION["failover"])
    _add(film, _NARRATION["end"], title_card("docs/", "architecture, decisions, benchmarks"))
    return film


def _add_parts(film: Film) -> None:
    for part in _NARRATION["parts"]:
        boxes = [
            Box(name, left, top, about, is_lit=name == part["name"])
            for name, (left, top, about) in _BOXES.items()
        ]
        _add(film, part["caption"], parts("The parts", boxes, _ARROWS))


def _add_walk(film: Film, title: str, told: Sequence[dict[str, str]]) -> None:
    steps = [Step(step["name"], step["function"]) for step in told]
    for number, step in enumerate(told):
        _add(film, step["caption"], walk(title, steps, number))


def _add_search_figures(film: Film) -> None:
    figures = _figures("exact")
    peers = figures["measured"]["clustered"]["1"]
    rows = [(name, peer["ms"]) for name, peer in peers.items()]
    picture = bars("Exact search, 100,000 × 384", "ms", rows, figures["command"])
    _add(film, _NARRATION["exact"], picture)
    figures = _figures("memory")
    peers = figures["measured"]["clustered"]
    rows = [(name, peer["qps"]) for name, peer in peers.items()]
    picture = bars("Queries a second, approximate", "", rows, figures["command"])
    _add(film, _NARRATION["graph"], picture)


def _add_write_figures(film: Film) -> None:
    figures = _figures("storage")
    for clients, title, caption in (
        ("1", "Durable writes a second, one client", "one_client"),
        ("32", "Durable writes a second, 32 clients", "many_clients"),
    ):
        peers = figures["measured"][clients]
        rows = [(name, peer["writes_per_second"]) for name, peer in peers.items()]
        rows.sort(key=lambda row: not row[0].startswith("Nalanda"))
        _add(film, _NARRATION[caption], bars(title, "", rows, figures["command"]))


def _add(film: Film, caption: str, picture: bytes) -> None:
    film.add(caption, [(0.0, picture)], shortest_s=_SLIDE_S)


def _figures(name: str) -> Any:
    return json.loads((_FIGURES / f"{name}.json").read_text())
