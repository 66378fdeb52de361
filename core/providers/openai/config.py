"""The settings of OpenAI-compatible servers: an address, a key and a model a role."""

from dataclasses import dataclass

import httpx

from core.providers.service import Service
from core.settings import Settings

PROVIDER = "openai"
PUBLIC_URL = "https://api.openai.com/v1"
NO_KEY = "none"
"""The key that a server without keys is sent; the SDK needs one."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server, the key for it, and one of its models."""

    url: str
    key: str
    model: str
    url_variable: str

    @property
    def service(self) -> Service:
        return Service(self._name(), "OPENAI_API_KEY", self.url_variable)

    def _name(self) -> str:
        if self.url == PUBLIC_URL:
            return "OpenAI"
        try:
            return f"the server {httpx.URL(self.url).netloc.decode('ascii')}"
        except httpx.InvalidURL:
            return "the OpenAI-compatible server"


@dataclass(frozen=True, slots=True)
class EmbedOptions:
    """The dimension to ask for, and what is sent before a text by its purpose."""

    dimension: int | None = None
    query_prefix: str = ""
    document_prefix: str = ""


def embed_options(settings: Settings) -> EmbedOptions:
    return EmbedOptions(
        dimension=settings.openai_embed_dimension,
        query_prefix=settings.openai_embed_query_prefix,
        document_prefix=settings.openai_embed_document_prefix,
    )


def embed_server(settings: Settings) -> Server:
    url, model = settings.openai_embed_url, settings.openai_embed_model
    return _server(settings, url, model, "NALANDA_OPENAI_EMBED_URL")


def answer_server(settings: Settings) -> Server:
    url, model = settings.openai_answer_url, settings.openai_answer_model
    return _server(settings, url, model, "NALANDA_OPENAI_ANSWER_URL")


def rerank_server(settings: Settings) -> Server | None:
    """Return the server that reranks, or `None` without a model for it."""
    url, model = settings.openai_rerank_url, settings.openai_rerank_model
    return _server(settings, url, model, "NALANDA_OPENAI_RERANK_URL") if model else None


def key_of(settings: Settings) -> str:
    key = settings.openai_api_key
    return key.get_secret_value().strip() if key else ""


def _server(settings: Settings, url: str | None, model: str, variable: str) -> Server:
    return Server(
        url=(url or settings.openai_base_url or PUBLIC_URL).rstrip("/"),
        key=key_of(settings) or NO_KEY,
        model=model,
        url_variable=variable if url else "NALANDA_OPENAI_BASE_URL",
    )
