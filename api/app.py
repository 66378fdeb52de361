"""The ASGI app, whose OpenAPI document has the models that its routes declare."""

from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from api.http.openapi import REF, Problem
from api.http.routing import Route


class App(FastAPI):
    """A FastAPI app; its OpenAPI document has the schemas of bodies, events and problems."""

    @property
    def bodies(self) -> list[type[BaseModel]]:
        """Return the models of request bodies, each once, in the order of the routes."""
        return list(dict.fromkeys(body for route in self._routes() for body in route.bodies))

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            document = super().openapi()
            document["components"]["schemas"].update(self._schemas())
            self.openapi_schema = document
        return self.openapi_schema

    def _schemas(self) -> dict[str, Any]:
        streams = {route.events for route in self._routes() if route.events is not None}
        sent = [model for stream in streams for model in stream.models.values()]
        received: list[type[BaseModel]] = [*self.bodies, Problem]
        models: list[tuple[type[BaseModel], JsonSchemaMode]] = []
        models += [(model, "validation") for model in received]
        models += [(model, "serialization") for model in sent]
        _, schemas = models_json_schema(models, ref_template=REF)
        return {**schemas["$defs"], **{stream.name: stream.schema(REF) for stream in streams}}

    def _routes(self) -> list[Route]:
        return [route for route in self.routes if isinstance(route, Route)]
