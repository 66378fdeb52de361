"""Routes of the node's own checkpoints, which another node fetches file by file."""

from pathlib import Path
from typing import Annotated

from fastapi import Path as PathParameter
from fastapi import Response
from fastapi.responses import FileResponse

from api.http.dependencies import SettingsOf
from api.http.openapi import ANY, responses_of
from api.http.responses import json_response
from api.http.routing import Routes
from api.wire.cluster import NewestCheckpoint
from core.domain.errors import NotFound
from core.indexing.checkpoints.paths import DIRECTORY, newest_in
from core.settings import Settings

NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]*\.[a-z]+$"

router = Routes("cluster", "/cluster", waits=False)


@router.get("/checkpoint", responses=responses_of(200, NewestCheckpoint, *ANY))
def get_newest_checkpoint(settings: SettingsOf) -> Response:
    """Return the name of the node's newest checkpoint, whose manifest names its other files."""
    newest = newest_in(_directory(settings))
    return json_response({"name": None if newest is None else newest.name})


@router.get(
    "/checkpoint/{name}",
    response_class=FileResponse,
    responses={
        **responses_of(200, None, *ANY, 404, 422),
        200: {"content": {"application/octet-stream": {}}, "description": "The file."},
    },
)
def get_checkpoint_file(
    settings: SettingsOf, name: Annotated[str, PathParameter(pattern=NAME, max_length=200)]
) -> Response:
    """Return a file of a checkpoint; it never changes, and goes once no checkpoint has it."""
    path = _directory(settings) / name
    if not path.is_file():
        raise NotFound("checkpoint file", name)
    return FileResponse(path, media_type="application/octet-stream")


def _directory(settings: Settings) -> Path:
    return settings.data_dir / DIRECTORY
