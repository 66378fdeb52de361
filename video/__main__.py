"""`make video`: records both films, in docs/videos; `ARGS=design` for one of them."""

import argparse
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from video import design, using
from video.film import Film

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "videos"
FILMS: Mapping[str, Callable[[Path], Film]] = {"using": using.record, "design": design.record}


def main() -> int:
    parser = argparse.ArgumentParser(prog="make video", description=__doc__)
    parser.add_argument("films", nargs="*", help=f"of {', '.join(FILMS)}; all by default")
    wanted = parser.parse_args().films or list(FILMS)
    if unknown := set(wanted) - FILMS.keys():
        parser.error(f"There is no film {unknown.pop()!r}; there are {', '.join(FILMS)}.")
    FOLDER.mkdir(exist_ok=True)
    for name in wanted:
        with tempfile.TemporaryDirectory(prefix="nalanda-video-") as folder:
            film = FILMS[name](Path(folder))
        path = FOLDER / f"{name}.mp4"
        film.write(path)
        if name == "using":
            Film(film.scenes[using.EXCERPT]).write_picture(FOLDER / "using.webp")
        print(f"{path}: {film.duration_s:.0f} s, {path.stat().st_size / 2**20:.1f} MiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
