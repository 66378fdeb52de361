"""The first film: from a clone to answers, and what is left when processes are killed."""

import os
import re
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from nalanda import Nalanda, QueryState
from video.browser import Recorded, open_page
from video.drawing import title_card
from video.film import Clip, Film, joined
from video.terminal import Terminal

EXCERPT = slice(4, 7)
"""The scenes on the page, which the README shows as a moving picture."""

_SOURCE = Path(__file__).resolve().parents[1]
_CAPTIONS: dict[str, str] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text())
_LIBRARY = "python"
_QUESTION = "How do I run a subprocess with a timeout?"
_INTERRUPTED = "How can I find files that match a pattern, in subdirectories too?"
_FILTER = '{"field": "module", "op": "eq", "value": "csv"}'
_SEARCH = f"nalanda search 'write rows' --library {_LIBRARY} -k 3 --filter '{_FILTER}'"
_EVENT = "text=retrieve"
_ANSWERED = "blockquote mark"
_MOST_KILLS = 10
_STAYS_UP = "Ctrl-C"
_PROMPT = "$ "
_API_URL = re.compile(r"api\s+(http://\S+)")
_QUESTION_URL = re.compile(r"question 1\s+(http\S+)")
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_ENVIRONMENT = ("HOME", "PATH", "LANG", "SSL_CERT_FILE")


def record(folder: Path) -> Film:
    """Clone, start, ask, kill and restart in the folder, and return the film of it.

    Raises:
        TimeoutError: a step does not come to its end.
    """
    (folder / "nalanda.git").symlink_to(_SOURCE, target_is_directory=True)
    environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    film = Film()
    opening = title_card("Nalanda", "A vector database with durable question answering")
    film.add(_CAPTIONS["title"], [(0.0, opening)])
    with Terminal(folder, environment) as first, Terminal(folder, environment) as second:
        _start(film, first)
        url = _found(_API_URL, first)
        second.run(f"cd nalanda; export PATH=$PWD/.venv/bin:$PATH NALANDA_API_URL={url}; clear")
        with open_page() as browser, Nalanda(url) as client:
            _use_page(film, browser, url)
            _kill_worker(film, first, second, browser, client)
        second.run("clear")
        film.add(_CAPTIONS["search"], second.run(_SEARCH))
        _restart(film, first)
        _run_cluster(film, first)
    closing = title_card("make demo", "one command, without Docker, an account or a key")
    film.add(_CAPTIONS["end"], [(0.0, closing)])
    return film


def _start(film: Film, terminal: Terminal) -> None:
    clone = terminal.run("git clone --quiet nalanda.git nalanda && cd nalanda")
    film.add(_CAPTIONS["clone"], clone)
    film.add(_CAPTIONS["start"], terminal.run("make demo", until="worker"), speed=8)
    film.add(_CAPTIONS["tour"], terminal.watch(_STAYS_UP), speed=2)


def _use_page(film: Film, browser: Recorded, url: str) -> None:
    page = browser.page
    library = browser.show(4, after=lambda: page.goto(f"{url}/#/libraries/{_LIBRARY}"))
    film.add(_CAPTIONS["library"], library)
    page.goto(f"{url}/#/ask/in/{_LIBRARY}")
    film.add(_CAPTIONS["question"], browser.type("textarea[name=query]", _QUESTION))
    asked = browser.show(after=lambda: page.get_by_role("button", name="Ask").click())
    film.add(_CAPTIONS["answer"], joined(asked, browser.wait(_ANSWERED), browser.show(3)))


def _kill_worker(
    film: Film, first: Terminal, second: Terminal, browser: Recorded, client: Nalanda
) -> None:
    for _ in range(_MOST_KILLS):
        typed, clip, state = _ask_and_kill(first, second, browser, client)
        if any((stage.attempt or 1) > 1 for stage in state.stages):
            break
    else:
        raise TimeoutError("No kill came while a stage was running.")
    film.add(_CAPTIONS["kill"], typed)
    film.add(_CAPTIONS["recovery"], clip)
    of_first_question = _found(_QUESTION_URL, first)
    address = re.sub(r"/workflows/.*", f"/workflows/{state.workflow_id}", of_first_question)
    opened = browser.show(after=lambda: browser.page.goto(address))
    film.add(_CAPTIONS["history"], joined(opened, browser.wait(_EVENT), browser.show(5)))


def _ask_and_kill(
    first: Terminal, second: Terminal, browser: Recorded, client: Nalanda
) -> tuple[Clip, Clip, QueryState]:
    """Ask on the page, and kill the worker as soon as the question is listed.

    Returns the clips of the typed command and of the page, and the question's last state.
    """
    second.run("clear")
    typed = second.type(f"kill -9 {first.descendant('cli worker')}")
    known = {summary.workflow_id for summary in client.queries.list()}
    browser.page.goto(f"{browser.page.url.partition('#')[0]}#/ask/in/{_LIBRARY}")
    browser.type("textarea[name=query]", _INTERRUPTED)

    def kill() -> str:
        while True:
            new = {summary.workflow_id for summary in client.queries.list()} - known
            if new:
                second.press_enter()
                return new.pop()

    with ThreadPoolExecutor(1) as killer:
        killed = killer.submit(kill)
        asked = browser.show(after=lambda: browser.page.get_by_role("button", name="Ask").click())
        clip = joined(asked, browser.wait(_ANSWERED), browser.show(3))
        return joined(typed, [(0.0, second.picture())]), clip, client.queries.get(killed.result())


def _restart(film: Film, terminal: Terminal) -> None:
    terminal.interrupt()
    film.add(_CAPTIONS["stop"], terminal.watch(_PROMPT))
    terminal.run("clear")
    film.add(_CAPTIONS["restart"], terminal.run("make demo", until=_STAYS_UP), speed=2)
    terminal.interrupt()
    terminal.watch(_PROMPT)
    terminal.run("clear")


def _run_cluster(film: Film, terminal: Terminal) -> None:
    film.add(_CAPTIONS["cluster"], terminal.run("make demo-cluster ARGS=--once"), speed=3)
    film.add(_CAPTIONS["outcome"], [(0.0, terminal.picture())], shortest_s=5)


def _found(pattern: re.Pattern[str], terminal: Terminal) -> str:
    match = pattern.search(_CONTROL.sub("", terminal.output))
    if match is None:
        raise LookupError(f"The terminal has not printed {pattern.pattern}.")
    return match[1]
