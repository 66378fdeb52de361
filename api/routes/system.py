"""Routes of the server's state: `/livez`, `/readyz`, `/metrics`, `/version`, `/checkpoint`."""

import asyncio
from importlib.metadata import version

from fastapi import Request, Response, status
from fastapi.concurrency import run_in_threadpool
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from api.http.dependencies import CoreOf, SettingsOf, TemporalOf
from api.http.openapi import ANY, OPEN, responses_of
from api.http.responses import json_response
from api.http.routing import Routes
from api.metrics import Metrics
from api.temporal import Temporal
from api.wire.system import Checkpoint, Liveness, Readiness, Version
from core.bootstrap import Core
from core.contracts.names import ingest_queue_of, task_queue_of
from core.domain.errors import Behind, NalandaError, Unavailable
from core.ports.store import DurabilityLevel
from core.replication.follower import Follower
from core.settings import Settings

OK = "ok"
_CATCH_UP_S = 1.0
_NO_TEMPORAL = "unreachable: questions and ingestions are unavailable"

router = Routes("system", waits=False)


@router.get("/livez", responses=responses_of(200, Liveness, *OPEN))
async def livez() -> Response:
    """Respond while the process runs."""
    return json_response({"status": OK})


@router.get("/readyz", responses=responses_of(200, Readiness, *OPEN) | responses_of(503, Readiness))
async def readyz(core: CoreOf, settings: SettingsOf, temporal: TemporalOf) -> Response:
    """Report whether the server is ready for everything except questions and ingestions.

    These need Temporal and a worker, which the checks name as well. While kernels compile, the
    server answers searches, only more slowly.
    """
    storage = await run_in_threadpool(_storage, core)
    level, durability = await run_in_threadpool(_durability, core, settings)
    epoch = await run_in_threadpool(_epoch, core)
    instance_id = core.store.instance_id
    questions = task_queue_of(instance_id, settings.task_queue)
    ingestions = ingest_queue_of(instance_id, settings.task_queue)
    worker, ingest_worker = await asyncio.gather(
        _worker(temporal, questions, "questions"), _worker(temporal, ingestions, "ingestions")
    )
    checks = {
        "storage": storage,
        "durability": durability,
        "cluster": core.cluster.problem or OK,
        "kernels": core.warmup.state,
        "checkpoints": _checkpoints(core),
        "temporal": OK
        if await temporal.healthy()
        else "unreachable: questions and ingestions are unavailable",
        "worker": worker,
        "ingest_worker": ingest_worker,
    }
    ready = storage == OK
    code = status.HTTP_200_OK if ready else status.HTTP_503_SERVICE_UNAVAILABLE
    lag = core.lag
    content = Readiness(
        ready=ready,
        role=core.role,
        epoch=epoch,
        lag=lag.entries,
        lag_s=lag.seconds,
        durability=level,
        checks=checks,
    )
    return json_response(content.model_dump(), code)


def _epoch(core: Core) -> int | None:
    try:
        return core.cluster.status().epoch
    except NalandaError:
        return None


def _storage(core: Core) -> str:
    if core.follower is not None and (reason := core.follower.tail.replaced):
        return f"the record went back, and the index is loaded again from it: {reason}"
    if isinstance(core.follower, Follower) and not core.cluster.leads:
        return core.follower.problem or OK
    try:
        with core.store.read() as snapshot:
            recorded = snapshot.position
        # Readers see a commit just before the index applies the commit.
        core.catalog.wait_for(recorded, _CATCH_UP_S)
    except Behind:
        return f"the store is at position {recorded}, the index at {core.catalog.position}"
    except NalandaError as error:
        return str(error)
    return OK


def _durability(core: Core, settings: Settings) -> tuple[DurabilityLevel | None, str]:
    """Return the level, and what keeps writes from being synchronous, if they have to be."""
    try:
        state = core.store.read_durability()
    except NalandaError as error:
        return None, str(error)
    problem = state.problem if settings.require_synchronous else None
    return state.level, problem or OK


async def _worker(temporal: Temporal, task_queue: str, waiting: str) -> str:
    try:
        if await temporal.has_worker(task_queue):
            return OK
    except Unavailable:
        return "unknown: Temporal is unreachable"
    return f"none polls the task queue {task_queue}: {waiting} wait for one"


def _checkpoints(core: Core) -> str:
    checkpoints = core.checkpoints
    problems = [f"Set aside: {file.name}: {file.problem}" for file in checkpoints.set_aside]
    if missing := core.catalog.state.missing:
        problems.append(f"Libraries that are being rebuilt: {', '.join(sorted(missing))}.")
    if checkpoints.error is not None:
        problems.append(checkpoints.error)
    return " ".join(problems) or OK


@router.post("/checkpoint", responses=responses_of(200, Checkpoint, *ANY, 503, 507))
def post_checkpoint(core: CoreOf) -> Response:
    """Write a checkpoint of the index now, so that the next start is fast."""
    return json_response({"position": core.checkpoints.make()})


@router.get("/version", responses=responses_of(200, Version, *OPEN))
async def get_version(core: CoreOf) -> Response:
    return json_response({"version": version("nalanda"), "instance_id": core.store.instance_id})


@router.get(
    "/metrics",
    responses=responses_of(200, None, *OPEN)
    | {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def get_metrics(request: Request) -> Response:
    """Return the metrics in Prometheus's text format."""
    metrics: Metrics = request.app.state.metrics
    return Response(metrics.exposition(), media_type=CONTENT_TYPE_PLAIN_0_0_4)
