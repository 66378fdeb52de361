"""A model's folder, as the Hugging Face hub has it: its files, and what they say of the model."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.domain.errors import ProviderRejected, ProviderUnavailable

ONNX = ("onnx/model.onnx", "model.onnx")
QUANTIZED = ("onnx/model_quantized.onnx", "onnx/model_int8.onnx", "model_quantized.onnx")
WEIGHTS = "model.safetensors"
_WANTED = ["*.json", WEIGHTS, *ONNX, *QUANTIZED]
_DEFAULT_MAX_TOKENS = 512
_MODULES = {"Transformer", "Pooling", "Normalize"}
"""The parts of a sentence-transformer that are known; others, such as Dense, change the vectors."""


@dataclass(frozen=True, slots=True)
class ModelFolder:
    path: Path

    @property
    def config(self) -> dict[str, Any]:
        return self.read("config.json")

    @property
    def tokenizer(self) -> Path:
        return self.path / "tokenizer.json"

    @property
    def max_tokens(self) -> int:
        """Return how many tokens of a text the model reads."""
        own = self.read("sentence_bert_config.json").get("max_seq_length")
        position = self.config.get("max_position_embeddings", _DEFAULT_MAX_TOKENS)
        # RoBERTa's positions begin behind its padding's.
        offset = 2 if "roberta" in str(self.config.get("model_type")) else 0
        return int(own or min(position - offset, _DEFAULT_MAX_TOKENS))

    @property
    def pools_first_token(self) -> bool:
        """Return whether a text's vector is that of its first token, rather than the mean."""
        return bool(self.read("1_Pooling/config.json").get("pooling_mode_cls_token", False))

    @property
    def prompts(self) -> dict[str, str]:
        """Return what the model wants before a text, by purpose (`query`, `document`)."""
        prompts = self.read("config_sentence_transformers.json").get("prompts") or {}
        return {str(name): str(prompt) for name, prompt in prompts.items()}

    @property
    def modules(self) -> set[str]:
        """Return the names of the parts of a sentence-transformer; none are listed for others."""
        parts = self._load("modules.json") or []
        return {str(part["type"]).rpartition(".")[2] for part in parts}

    def first_of(self, names: tuple[str, ...]) -> Path | None:
        paths = (self.path / name for name in names if (self.path / name).is_file())
        return next(paths, None)

    def read(self, name: str) -> dict[str, Any]:
        """Return a JSON object, `{}` if there is no such file.

        Raises:
            ProviderRejected: the file is not a JSON object.
        """
        content = self._load(name)
        if not isinstance(content, dict | None):
            raise ProviderRejected(f"{self.path / name} is not a JSON object.")
        return content or {}

    def _load(self, name: str) -> Any:
        path = self.path / name
        if not path.is_file():
            return None
        try:
            return json.loads(path.read_bytes())
        except (OSError, ValueError) as error:
            raise ProviderRejected(f"{path} can't be read: {error}.") from None


def find(model: str) -> ModelFolder:
    """Return the folder of a model: a path, or the name of a repository on the hub.

    A repository is downloaded once, to the hub's cache.

    Raises:
        ProviderRejected: there is no such folder or repository, or it has no model.
        ProviderUnavailable: the hub can't be reached.
    """
    path = Path(model).expanduser()
    folder = ModelFolder(path if path.is_dir() else _download(model))
    if not folder.tokenizer.is_file() or not folder.first_of((*ONNX, *QUANTIZED, WEIGHTS)):
        needed = f"tokenizer.json, and onnx/model.onnx or {WEIGHTS}"
        raise ProviderRejected(f"{folder.path} has no model: it needs {needed}.")
    if others := folder.modules - _MODULES:
        names = ", ".join(sorted(others))
        raise ProviderRejected(
            f"The model in {folder.path} has components that Nalanda does not support: {names}."
        )
    return folder


def _download(repository: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
    )

    try:
        return Path(snapshot_download(repository, allow_patterns=_WANTED))
    except (HFValidationError, RepositoryNotFoundError):
        raise ProviderRejected(
            f"There is no model {repository!r}: give a folder, or a repository of the Hugging Face "
            "hub."
        ) from None
    except (LocalEntryNotFoundError, OSError) as error:
        kind = type(error).__name__
        raise ProviderUnavailable(f"The Hugging Face hub can't be reached ({kind}).") from None
