"""The route by which one node lets another one lead."""

from fastapi import Response, status

from api.http.bodies.json import JsonBody, parse
from api.http.dependencies import CoreOf
from api.http.openapi import BODY, responses_of
from api.http.responses import json_response
from api.http.routing import Routes
from api.wire.cluster import HandOverRequest, HandOverResponse

router = Routes("cluster", "/cluster", waits=False, of_writer=True)


@router.post(
    "/hand-over",
    status_code=status.HTTP_202_ACCEPTED,
    body=HandOverRequest,
    writes=False,
    responses=responses_of(202, HandOverResponse, *BODY, 409),
)
def hand_over(core: CoreOf, body: JsonBody) -> Response:
    """Let another node lead: `to`, or the one that is furthest.

    No write is refused meanwhile. `GET /cluster` shows when the node leads. If it does not take
    over in half a lease, this one leads again.
    """
    begun = core.cluster.hand_over(parse(HandOverRequest, body).to)
    content = HandOverResponse.model_validate(begun).model_dump()
    return json_response(content, status.HTTP_202_ACCEPTED, position=core.catalog.position)
