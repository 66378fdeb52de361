"""Builds segments in the background, one at a time, from immutable views."""

import logging
import math
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from core.background_thread import BackgroundThread
from core.indexing.maintenance import malloc
from core.indexing.maintenance.merge_policy import Job, differ, next_job, without_search_params
from core.indexing.maintenance.segment_builder import SegmentBuilder
from core.indexing.segment.segment import Segment
from core.indexing.vectors.build_threads import lower_priority
from core.indexing.vectors.vector_index import BuildCancelled
from core.indexing.views import next_view
from core.indexing.views.catalog import Catalog
from core.indexing.views.view import LibraryView

QUIET_S = 5.0
"""The time without a write after which a library's segments are merged into one."""

RETRY_S = 30.0
"""The time after which a build that failed for lack of disk or memory is retried."""

_LONG_AGO = -math.inf

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    """A job with the view whose segments it merges, which are frozen."""

    job: Job
    view: LibraryView

    @property
    def segments(self) -> tuple[Segment, ...]:
        return self.view.segments[self.job.start : self.job.stop]


class BuildThread:
    """The thread that builds segments, woken by the catalog.

    It takes the catalog's lock only to swap segments. A library whose build failed is not retried
    until a write to it, and not before `quiet_s`. If the machine was at fault, such as a full disk,
    the build is also retried after `RETRY_S`.
    """

    def __init__(
        self,
        catalog: Catalog,
        segment_builder: SegmentBuilder,
        *,
        quiet_s: float = QUIET_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._catalog = catalog
        self._segment_builder = segment_builder
        self._quiet_s = quiet_s
        self._clock = clock
        self._changed = threading.Condition()
        # Guarded by `_changed`, times by library: when to check it next, when to retry its failed
        # build, and when it was last written to. Then the library being worked on, the errors,
        # and the time until which the thread waits.
        self._due_at: dict[str, float] = {}
        self._retry_at: dict[str, float] = {}
        self._written_at: dict[str, float] = {}
        self._current: str | None = None
        self._errors: dict[str, str] = {}
        self._wakes_at = math.inf
        self._thread = BackgroundThread(
            "segments",
            self._run_due_step,
            failure="The build thread failed.",
            retry_s=RETRY_S,
            begin=lower_priority,
        )

    def start(self) -> None:
        """Start the thread: check all libraries now, and each library when it changes."""
        self._catalog.on_change(self.note_writes)
        views = self._catalog.state.views.items()
        self.note_writes([id_ for id_, view in views if next_job(view, quiet=True) is not None])
        self._thread.start()

    def close(self) -> None:
        """Cancel the current build, and wait until the thread has ended."""
        self._thread.close()

    def note_writes(self, library_ids: Collection[str]) -> None:
        """Note a write to these libraries, and wake the thread only if one has a job.

        Most writes create no job, and a low-priority thread should rarely hold the interpreter
        lock.
        """
        with self._changed:
            now = self._clock()
            for id_ in library_ids:
                self._written_at[id_] = now
                failed = id_ in self._errors
                if not failed and self._has_job(id_, quiet=False):
                    self._due_at[id_] = now
                elif failed or self._has_job(id_, quiet=True):
                    self._due_at.setdefault(id_, now + self._quiet_s)
            first = min((self._due_at.get(id_, math.inf) for id_ in library_ids), default=math.inf)
            is_due = self._wakes_at <= now or first < self._wakes_at
        if is_due:
            self._thread.wake()

    def _has_job(self, library_id: str, *, quiet: bool) -> bool:
        """Return whether there is a segment to build, or a deleted library to forget."""
        view = self._catalog.state.views.get(library_id)
        return view is None or next_job(view, quiet=quiet) is not None

    def error(self, library_id: str) -> str | None:
        """Return why the library's last build failed, in one line; `None` if it did not fail."""
        return self._errors.get(library_id)

    def wait_until_idle(self, timeout_s: float) -> None:
        """Run all pending jobs as if no write had happened for long, and wait until they are done.

        Raises:
            TimeoutError: the jobs are not done within `timeout_s`.
        """
        with self._changed:
            self._due_at = dict.fromkeys(self._due_at, _LONG_AGO)
            self._written_at.update(self._due_at)
            if self._current is not None:
                self._written_at[self._current] = _LONG_AGO
            self._thread.wake()
            if not self._changed.wait_for(self._is_idle, timeout_s):
                raise TimeoutError("The builder of segments is still busy.")

    def _is_idle(self) -> bool:
        return self._current is None and not self._due_at

    def _run_due_step(self) -> float:
        """Run one step for a library that is due, and return the seconds until the next is due."""
        library_id = self._take_due()
        if library_id is None:
            return self._wakes_at - self._clock()
        error = self._try_step(library_id)
        if not self._due_at:
            malloc.trim()
        with self._changed:
            self._current = None
            if error is None:
                self._errors.pop(library_id, None)
            else:
                self._note_failure(library_id, error)
            self._changed.notify_all()
        return 0.0

    def _note_failure(self, library_id: str, error: Exception) -> None:
        self._errors[library_id] = f"{type(error).__name__}: {error}".splitlines()[0]
        if library_id in self._due_at:
            self._due_at[library_id] = self._clock() + self._quiet_s
        if isinstance(error, OSError | MemoryError):
            self._retry_at[library_id] = self._clock() + RETRY_S

    def _take_due(self) -> str | None:
        """Return the library that is due first, now at work; `None` if no library is due."""
        with self._changed:
            due = self._retry_at | self._due_at
            first = min(due, key=due.__getitem__, default=None)
            self._wakes_at = math.inf if first is None else due[first]
            if first is None or self._wakes_at > self._clock():
                return None
            self._due_at.pop(first, None)
            self._retry_at.pop(first, None)
            self._current = first
            return first

    def _try_step(self, library_id: str) -> Exception | None:
        """Run one step for a library, and return the error if it failed."""
        try:
            self._step(library_id)
        except Exception as error:  # noqa: BLE001  # must not stop other libraries' builds
            _log.exception("No segment could be built for the library %s.", library_id)
            return error
        return None

    def _step(self, library_id: str) -> None:
        with self._changed:
            quiet = self._clock() >= self._written_at.get(library_id, 0.0) + self._quiet_s
        task = self._begin_task(library_id, quiet=quiet)
        if task is not None:
            self._build(library_id, task)
            self._schedule(library_id)
            return
        view = self._catalog.state.views.get(library_id)
        if view is None:
            self._forget(library_id)
        elif next_job(view, quiet=True) is not None:
            self._schedule(library_id, after_s=self._quiet_s)

    def _forget(self, library_id: str) -> None:
        with self._changed:
            if library_id not in self._due_at:
                self._written_at.pop(library_id, None)

    def _schedule(self, library_id: str, after_s: float = 0.0) -> None:
        """Schedule a check `after_s` after the last write, unless one is already scheduled."""
        with self._changed:
            self._due_at.setdefault(library_id, self._written_at.get(library_id, 0.0) + after_s)

    def _begin_task(self, library_id: str, *, quiet: bool) -> _Task | None:
        """Choose the next job and freeze its segments, in one step that excludes writes."""
        view = self._catalog.state.views.get(library_id)
        if view is None or next_job(view, quiet=quiet) is None:
            return None
        task: _Task | None = None

        def begin(view: LibraryView) -> LibraryView | None:
            nonlocal task
            job = next_job(view, quiet=quiet)
            if job is None:
                return None
            if view.delta is not None and job.stop == len(view.segments):
                view = next_view.freeze_delta(view)
            task = _Task(job, view)
            return view

        self._catalog.revise(library_id, begin)
        return task

    def _build(self, library_id: str, task: _Task) -> None:
        def is_cancelled() -> bool:
            return self._thread.is_closed or not self._is_wanted(library_id, task)

        started = time.perf_counter()
        library, segments = task.view.library, task.segments
        spec, documents = without_search_params(library.index), task.view.documents
        try:
            segment = self._segment_builder.build(segments, spec, documents, is_cancelled)
        except BuildCancelled:
            return
        if is_cancelled():
            return
        if self._catalog.revise(
            library_id, lambda view: next_view.with_segment(view, segments, segment)
        ):
            took_s = time.perf_counter() - started
            _log.info(
                "%s of %s: %d segments into one of %d rows in %.1f s",
                task.job.reason,
                library_id,
                len(segments),
                segment.size,
                took_s,
            )

    def _is_wanted(self, library_id: str, task: _Task) -> bool:
        view = self._catalog.state.views.get(library_id)
        if view is None or differ(view.library.index, task.view.library.index):
            return False
        there = {id(segment.rows) for segment in view.segments}
        return all(id(segment.rows) in there for segment in task.segments)
