"""The ASGI app: what it opens at its start, and the middleware that each request passes."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI, status
from fastapi.concurrency import run_in_threadpool

from api.app import App
from api.http import errors, leader
from api.http.admission import WriteLimit
from api.http.forwarding import Writer
from api.http.leader import Leader
from api.ingestions.sweeping import sweep_forever
from api.metrics import Metrics, RequestMetrics
from api.middleware.auth import Keys
from api.middleware.browsers import HostCheck, OriginCheck
from api.middleware.instance import InstanceCheck
from api.middleware.limits import BodyLimits
from api.middleware.tracing import RequestSpans
from api.model_changes.starting import ModelChangeStarts
from api.questions.archiving import archive_forever
from api.questions.ownership import ownership_of
from api.questions.tokens import TokenLog
from api.routes import (
    bulk,
    checkpoints,
    chunks,
    cluster,
    conversations,
    documents,
    embedding_models,
    hand_over,
    index,
    ingestions,
    libraries,
    pages,
    questions,
    search,
    system,
)
from api.searches.fast_path import FastSearch
from api.searches.passed import PassedSearches
from api.temporal import Temporal
from core.bootstrap import Core, open_core
from core.domain.hosts import Hosts
from core.settings import Settings
from core.tracing import spans
from core.tracing.exporting import FLUSH_S

CANCEL_AGAIN_S = 1.0

ROUTES = (
    search,
    bulk,
    libraries,
    documents,
    chunks,
    index,
    embedding_models,
    ingestions,
    questions,
    conversations,
    cluster,
    hand_over,
    checkpoints,
    system,
    pages,
)
"""Routers in matching order. Their routes become the app's own, so that a request is matched once;
`include_router` would match twice."""


def create_app(
    settings: Settings | None = None,
    *,
    core_factory: Callable[[Settings], Core] = open_core,
    bound: Collection[str] = (),
    writer: Writer | Leader | None = None,
) -> App:
    """Build the API over the settings' data directory, opened at startup and closed at shutdown.

    The app connects to Temporal at the first question. `bound` has the names and addresses that the
    server listens on. `writer`: the process that writes, if another one does or may.
    """
    settings = settings or Settings()
    app = App(
        title="Nalanda",
        version=version("nalanda"),
        description="A vector database with durable question answering.",
        routes=[route for module in ROUTES for route in module.router.routes],
        lifespan=_lifespan,
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
        # Its spans would have query strings and bypass the fast path of searches: decision 0099.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.settings = settings
    app.state.core_factory = core_factory
    app.state.writer = writer
    app.state.temporal = Temporal(settings)
    app.state.model_change_starts = ModelChangeStarts(app.state.temporal, settings)
    app.state.metrics = Metrics()
    app.state.passed_searches = PassedSearches(
        partial(app.state.metrics.count, "POST", search.ROUTE.path, status.HTTP_200_OK)
    )
    app.state.tokens = TokenLog()
    app.state.write_limit = WriteLimit(max_waiting=settings.max_waiting_writes)
    errors.install(app)
    leader.install(app)
    # The middleware added last runs first.
    app.add_middleware(FastSearch, route=search.ROUTE, passed=app.state.passed_searches)
    app.add_middleware(InstanceCheck)
    app.add_middleware(
        BodyLimits,
        max_bytes=settings.max_body_bytes,
        max_held_bytes=settings.max_held_body_bytes,
        patience_s=settings.slow_client_s,
    )
    if settings.api_keys:
        app.add_middleware(Keys, keys=[key.get_secret_value() for key in settings.api_keys])
    else:
        app.add_middleware(OriginCheck)
    if settings.allowed_hosts or not settings.api_keys:
        app.add_middleware(HostCheck, hosts=Hosts(settings.allowed_hosts, bound))
    app.add_middleware(RequestMetrics, metrics=app.state.metrics)
    if spans.is_on():
        app.add_middleware(RequestSpans)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    core = await run_in_threadpool(app.state.core_factory, app.state.settings)
    try:
        app.state.core = core
        writer: Writer | Leader | None = app.state.writer
        app.state.metrics.watch(core, lambda: 0 if writer is None else writer.forwarded)
        async with _background_work(app, core):
            yield
    finally:
        await run_in_threadpool(core.close)
        # Here, because the server ends its process by the signal that it got.
        await run_in_threadpool(spans.flush, FLUSH_S)


@asynccontextmanager
async def _background_work(app: FastAPI, core: Core) -> AsyncIterator[None]:
    """Delete old uploads and archive questions, unless another process has the data directory."""
    writer: Writer | Leader | None = app.state.writer
    async with AsyncExitStack() as stack:
        if writer is not None:
            stack.push_async_callback(writer.close)
        if not isinstance(writer, Writer):
            temporal, settings = app.state.temporal, app.state.settings
            sweeping = sweep_forever(temporal, core, settings.max_upload_bytes)
            retention = timedelta(days=settings.answer_retention_days)
            archiving = archive_forever(temporal, core, lambda: ownership_of(core), retention)
            await stack.enter_async_context(_running(sweeping))
            await stack.enter_async_context(_running(archiving))
        yield


@asynccontextmanager
async def _running(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run work until the block ends.

    A cancellation may be lost in a library that reports it as a failed call, after which the work
    goes on. So it is repeated.
    """
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        while not task.done():
            task.cancel()
            await asyncio.wait([task], timeout=CANCEL_AGAIN_S)
