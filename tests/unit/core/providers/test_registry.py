"""Which providers the settings ask for."""

import pytest
from pydantic import SecretStr

from core.domain.errors import ProviderRejected
from core.providers.base import AsyncEmbedder, Embedder
from core.providers.registry import (
    CohereProvider,
    LocalProvider,
    default_model,
    embedders,
    stage_providers,
)
from core.settings import Settings

KEY = SecretStr("a-key")


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CO_API_KEY", "CO_API_URL", "NALANDA_PROVIDER"):
        monkeypatch.delenv(name, raising=False)


def settings(**values: object) -> Settings:
    return Settings.model_validate({"provider": "auto", **values})


@pytest.mark.parametrize(
    "chosen",
    [settings(), settings(provider="local"), settings(provider="local", cohere_api_key=KEY)],
)
def test_local(chosen: Settings) -> None:
    assert list(embedders(chosen)) == ["wordllama-256"]
    assert default_model(chosen) == "wordllama-256"
    provider = stage_providers(chosen)
    assert isinstance(provider, LocalProvider)
    assert provider.answerer.model == "extractive-wordllama-256"


@pytest.mark.parametrize(
    "chosen", [settings(cohere_api_key=KEY), settings(provider="cohere", cohere_api_key=KEY)]
)
async def test_cohere(chosen: Settings) -> None:
    known = embedders(chosen)
    assert {name: embedder.dimension for name, embedder in known.items()} == {
        "wordllama-256": 256,
        "embed-v4.0": 1024,
    }
    assert default_model(chosen) == "embed-v4.0"
    provider = stage_providers(chosen)
    assert isinstance(provider, CohereProvider)
    assert provider.embedder.model == "embed-v4.0"
    assert provider.local.embedder.model == "wordllama-256"
    assert provider.answerer.model == "command-a-03-2025"
    await provider.aclose()
    assert provider.http.is_closed


@pytest.mark.parametrize("key", [None, SecretStr("  ")])
@pytest.mark.parametrize("ask", [embedders, default_model, stage_providers])
def test_cohere_without_a_key(ask: object, key: SecretStr | None) -> None:
    assert callable(ask)
    with pytest.raises(ProviderRejected, match="CO_API_KEY"):
        ask(settings(provider="cohere", cohere_api_key=key))


def test_both_kinds_keep_to_their_protocols() -> None:
    """Checked by mypy: an assignment that doesn't fit fails `make types`."""
    provider = stage_providers(settings(cohere_api_key=KEY))
    assert isinstance(provider, CohereProvider)
    awaitable: AsyncEmbedder = provider.embedder
    blocking: Embedder = provider.local.embedder
    assert awaitable.dimension != blocking.dimension
