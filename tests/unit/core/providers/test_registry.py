"""The models that the settings choose."""

import os
from typing import get_args

import pytest
from pydantic import SecretStr, ValidationError

from core.domain.errors import ProviderRejected
from core.providers.openai.config import answer_server, embed_server, rerank_server
from core.providers.registry import PROVIDERS, choose, embedders, open_models
from core.providers.threads import ThreadedReranker
from core.settings import ProviderName, Settings, variables_of

KEY = SecretStr("a-key")


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in set(os.environ) & {v for f in Settings.model_fields for v in variables_of(f)}:
        monkeypatch.delenv(name, raising=False)


def settings(**values: object) -> Settings:
    return Settings.model_validate({"provider": "auto", **values})


def test_each_provider_has_the_name_that_the_settings_give_it() -> None:
    assert set(PROVIDERS) == set(get_args(ProviderName))
    for name in PROVIDERS:
        roles = choose(settings(provider=name))
        assert (roles.embed[0].name, roles.rerank.name, roles.answer.name) == (name, name, name)


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
        assert models.description == (
            "Embeds with wordllama-256; answers with extractive-wordllama-256 (local)."
        )
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


def names(chosen: Settings) -> tuple[list[str], str, str]:
    roles = choose(chosen)
    return [factory.name for factory in roles.embed], roles.rerank.name, roles.answer.name


def test_each_role_can_have_its_own_provider() -> None:
    assert names(settings(provider="cohere", embed_provider="openai")) == (
        ["openai", "local"],
        "cohere",
        "cohere",
    )
    assert names(
        settings(embed_provider="local, openai", rerank_provider="local", answer_provider="openai")
    ) == (["local", "openai"], "local", "openai")


async def test_a_missing_role_is_left_to_local() -> None:
    chosen = settings(provider="openai", openai_base_url="http://127.0.0.1:1/v1")
    async with open_models(chosen) as models:
        assert list(models.embedders) == ["text-embedding-3-small", "wordllama-256"]
        assert isinstance(models.reranker, ThreadedReranker)
        assert (models.answerer.provider, models.answerer.model) == ("openai", "gpt-4.1-mini")
    reranks = chosen.model_copy(update={"openai_rerank_model": "bge-reranker"})
    async with open_models(reranks) as models:
        assert not isinstance(models.reranker, ThreadedReranker)


async def test_servers_of_their_own_for_each_role() -> None:
    chosen = settings(
        openai_base_url="http://all:1/v1/",
        openai_embed_url="http://embeds:2/v1",
        openai_answer_model="llama",
    )
    assert embed_server(chosen).url == "http://embeds:2/v1"
    assert (answer_server(chosen).url, answer_server(chosen).model) == ("http://all:1/v1", "llama")
    assert rerank_server(chosen) is None
    assert "NALANDA_OPENAI_EMBED_URL" in str(embed_server(chosen).service.invalid_url())


def test_openai_is_never_chosen_by_a_key_alone() -> None:
    assert names(settings(openai_api_key=KEY)) == (["local"], "local", "local")


@pytest.mark.parametrize("role", ["provider", "embed_provider", "rerank_provider"])
async def test_openai_without_key_or_server(role: str) -> None:
    with pytest.raises(ProviderRejected, match="OPENAI_API_KEY or NALANDA_OPENAI_BASE_URL"):
        async with open_models(settings(**{role: "openai"})):
            pass


def test_an_unknown_provider_is_refused() -> None:
    with pytest.raises(ValidationError, match="embed_provider"):
        settings(embed_provider="local,nobody")
