"""A progress bar on a terminal's stderr; no output elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import Progress

from cli.output.terminal import can_overwrite, console


@contextmanager
def bar(description: str) -> Iterator[Callable[[int, int | None], None]]:
    """Show a progress bar; yield a callback for the amounts done and in total (`None`: unknown)."""
    errors = console(stderr=True)
    with Progress(console=errors, transient=True, disable=not can_overwrite(errors)) as progress:
        task = progress.add_task(description, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
