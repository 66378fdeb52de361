"""The models that the settings choose."""

import pytest
from pydantic import SecretStr

from core.domain.errors import ProviderRejected
from core.providers.registry import PROVIDERS, choose, embedders, open_models
from core.settings import Settings

KEY = SecretStr("a-key")


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CO_API_KEY", "CO_API_URL", "NALANDA_PROVIDER"):
        monkeypatch.delenv(name, raising=False)


def settings(**values: object) -> Settings:
    return Settings.model_validate({"provider": "auto", **values})


def test_each_provider_has_the_name_that_the_settings_give_it() -> None:
    for name in PROVIDERS:
        assert choose(settings(provider=name)).name == name


@pytest.mark.parametrize(
    "chosen",
    [
        settings(),
        settings(cohere_api_key=SecretStr(" ")),
        settings(provider="local"),
        settings(provider="local", cohere_api_key=KEY),
    ],
)
async def test_local(chosen: Settings) -> None:
    assert list(embedders(chosen)) == ["wordllama-256"]
    async with open_models(chosen) as models:
        assert list(models.embedders) == ["wordllama-256"]
        assert models.answerer is models.extractive
        assert (models.answerer.provider, models.answerer.model) == (
            "local",
            "extractive-wordllama-256",
        )


@pytest.mark.parametrize(
    "chosen", [settings(cohere_api_key=KEY), settings(provider="cohere", cohere_api_key=KEY)]
)
async def test_cohere_with_the_local_model_for_libraries_that_have_it(chosen: Settings) -> None:
    known = embedders(chosen)
    assert [(name, embedder.dimension) for name, embedder in known.items()] == [
        ("embed-v4.0", 1024),
        ("wordllama-256", 256),
    ]
    async with open_models(chosen) as models:
        assert list(models.embedders) == ["embed-v4.0", "wordllama-256"]
        assert (models.answerer.provider, models.answerer.model) == ("cohere", "command-a-03-2025")
        assert models.extractive.provider == "local"


@pytest.mark.parametrize("key", [None, SecretStr("  ")])
async def test_cohere_without_a_key(key: SecretStr | None) -> None:
    chosen = settings(provider="cohere", cohere_api_key=key)
    with pytest.raises(ProviderRejected, match="CO_API_KEY"):
        embedders(chosen)
    with pytest.raises(ProviderRejected, match="CO_API_KEY"):
        async with open_models(chosen):
            pass
