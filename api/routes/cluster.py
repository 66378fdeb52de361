"""Routes of the cluster: its nodes, and which of them leads."""

from typing import Annotated

from fastapi import Query, Response
from fastapi.concurrency import run_in_threadpool

from api.http.dependencies import CoreOf
from api.http.openapi import ANY, responses_of
from api.http.responses import json_response
from api.http.routing import Routes
from api.wire.cluster import ClusterResponse, LeaderResponse, NodeResponse
from core.bootstrap import Core
from core.domain.errors import NalandaError, NotHeld, Unavailable
from core.indexing.views.catalog import CatalogState
from core.ports.cluster import Sighting
from core.ports.store import DurabilityLevel

router = Routes("cluster", waits=False, of_node=True)


@router.get("/cluster", responses=responses_of(200, ClusterResponse, *ANY, 404, 422, 503))
async def get_cluster(
    core: CoreOf,
    library: Annotated[
        str | None,
        Query(description="Id or name of a library, of which `digest` is then; 503 if not held."),
    ] = None,
) -> Response:
    """Return the nodes that serve this database, and which of them writes."""
    response = await run_in_threadpool(_describe, core, library)
    return json_response(response.model_dump(), position=response.position)


def _describe(core: Core, library: str | None) -> ClusterResponse:
    status = core.cluster.status()
    state = core.catalog.state
    position = state.position
    leader = status.leader
    return ClusterResponse(
        node_id=status.node_id,
        role=status.role,
        epoch=status.epoch,
        position=position,
        digest=_digest(core, state, library),
        durability=_durability(core),
        leader=None if leader is None else LeaderResponse.model_validate(leader),
        nodes=[_node(each, max(status.recorded, position)) for each in status.nodes],
    )


def _node(seen: Sighting, recorded: int) -> NodeResponse:
    return NodeResponse(
        node_id=seen.node_id,
        address=seen.address,
        role=seen.role,
        position=seen.position,
        lag=max(0, recorded - seen.position),
        last_seen_at=seen.last_seen_at,
        capacity_bytes=seen.capacity_bytes,
        libraries=None if seen.holdings is None else sorted(seen.holdings),
    )


def _digest(core: Core, state: CatalogState, library: str | None) -> str | None:
    """Return the digest of this node's state, or of a library; another node is not asked.

    Raises:
        NotFound: there is no such library.
        Unavailable: this node does not hold it.
    """
    try:
        return core.digests.of(state, library)
    except NotHeld as error:
        raise Unavailable(str(error)) from error


def _durability(core: Core) -> DurabilityLevel | None:
    try:
        return core.store.read_durability().level
    except NalandaError:
        return None
