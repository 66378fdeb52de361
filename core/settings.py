"""Every setting, from the environment and `.env`; explained in docs/reference/settings.md."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict, SettingsError

from core.domain.hosts import Hosts

ProviderName = Literal["local", "cohere", "openai", "transformer"]


class Settings(BaseSettings):
    """The settings `NALANDA_*`, and the variables of providers; build one per process."""

    model_config = SettingsConfigDict(
        env_prefix="NALANDA_",
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        populate_by_name=True,
    )

    data_dir: Path = Path(".data")
    database_url: SecretStr | None = None
    durability: Literal["full", "relaxed"] = "full"
    require_synchronous: bool = False

    temporal_address: str = "localhost:7233"
    temporal_namespace: str = "default"
    temporal_ui_url: str | None = None
    task_queue: str | None = None

    api_url: str = "http://127.0.0.1:8000"
    api_keys: Annotated[tuple[SecretStr, ...], NoDecode] = ()
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = ()

    provider: Literal["auto", ProviderName] = "auto"
    embed_provider: Annotated[tuple[ProviderName, ...], NoDecode] = ()
    rerank_provider: ProviderName | None = None
    answer_provider: ProviderName | None = None
    condense_provider: ProviderName | None = None
    cohere_api_key: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices("CO_API_KEY", "cohere_api_key")
    )
    cohere_api_url: str | None = Field(
        default=None, validation_alias=AliasChoices("CO_API_URL", "cohere_api_url")
    )

    openai_base_url: str | None = None
    openai_api_key: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("NALANDA_OPENAI_API_KEY", "OPENAI_API_KEY", "openai_api_key"),
    )
    openai_embed_url: str | None = None
    openai_embed_model: str = "text-embedding-3-small"
    openai_embed_dimension: int | None = Field(default=None, ge=1)
    openai_embed_query_prefix: str = ""
    openai_embed_document_prefix: str = ""
    openai_rerank_url: str | None = None
    openai_rerank_model: str | None = None
    openai_answer_url: str | None = None
    openai_answer_model: str = "gpt-4.1-mini"

    budget_tokens: int | None = Field(default=None, ge=1)
    budget_calls: int | None = Field(default=None, ge=1)

    answer_floor: float = Field(default=0.35, ge=0, le=1)

    transformer_embed_model: str = "sentence-transformers/all-MiniLM-L6-v2"
    transformer_rerank_model: str | None = None
    transformer_quantized: bool = True

    role: Literal["auto", "leader", "follower"] = "auto"
    advertise_url: str | None = None
    lease_s: float = Field(default=5.0, ge=1, le=60)
    leader_wait_s: float = Field(default=10.0, ge=0)
    forward: Literal["proxy", "redirect"] = "proxy"
    checkpoint_source: str | None = None
    checkpoint_store: str | None = None
    replication_factor: int | None = Field(default=None, ge=1)
    capacity_bytes: int | None = Field(default=None, ge=1)
    placement_grace_s: float = Field(default=60.0, ge=0)
    max_lag_entries: int = Field(default=10_000, ge=0)
    max_lag_s: float = Field(default=30.0, gt=0)

    readers: int = Field(default=1, ge=1, le=64)

    index_threads: int | None = Field(default=None, ge=1)
    kernels: Literal["auto", "avx512", "avx2", "plain"] = "auto"
    vectors: Literal["memory", "mapped"] = "memory"

    checkpoint_s: float = Field(default=300.0, gt=0)
    checkpoint_bytes: int = Field(default=128 * 2**20, ge=1)

    answer_retention_days: float = Field(default=90.0, gt=0, le=36_500)

    max_body_bytes: int = Field(default=64 * 2**20, ge=1024)
    max_upload_bytes: int = Field(default=10 * 2**30, ge=1024)
    max_held_body_bytes: int = Field(default=256 * 2**20, ge=1024)
    max_connections: int = Field(default=1_000, ge=1)
    max_connections_per_client: int | None = Field(default=None, ge=1)
    max_waiting_writes: int = Field(default=256, ge=0)
    slow_client_s: float = Field(default=20.0, gt=0)
    min_position_wait_s: float = Field(default=5.0, ge=0)
    drain_s: float = Field(default=30.0, ge=0)

    def __init__(self, **values: Any) -> None:
        """Read the environment and `.env`.

        Raises:
            SettingsError: `.env` can't be read.
        """
        try:
            super().__init__(**values)
        except OSError as error:
            name = error.filename or ".env"
            raise SettingsError(f"{name} can't be read: {error.strerror}.") from error
        except UnicodeDecodeError as error:
            raise SettingsError(".env can't be read: it is not UTF-8 text.") from error

    @field_validator("api_keys", "allowed_hosts", "embed_provider", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("allowed_hosts")
    @classmethod
    def _check_hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """Check that each entry is a host.

        Raises:
            ValueError: an entry is no host.
        """
        Hosts(value)
        return value


def variables_of(field: str) -> tuple[str, ...]:
    """Return the environment variables of a setting: its aliases, else its name with the prefix."""
    alias = Settings.model_fields[field].validation_alias
    if not isinstance(alias, AliasChoices):
        return (f"NALANDA_{field.upper()}",)
    return tuple(name for name in map(str, alias.choices) if name.isupper())
