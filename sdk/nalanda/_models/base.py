"""The base of all models of responses; unknown fields are ignored."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

from nalanda._vectors import unpack

Embedding = Annotated[list[float], BeforeValidator(unpack)]
"""Floats, from a list or base64."""


class Model(BaseModel):
    # Building all validators takes longer than most commands need for the rest of their work.
    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)
