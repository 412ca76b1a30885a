"""The prompts that answers are written with, version by version: in Opik's library, or in a local file."""

import json
import logging
import os
from collections.abc import Sequence
from pathlib import Path

import httpx

from rag_llm_system.domain.documents import sha256_of
from rag_llm_system.domain.errors import StorageFull
from rag_llm_system.domain.prompts import Prompt
from rag_llm_system.domain.redaction import redact
from rag_llm_system.infrastructure.tracing.opik_experiments import OpikServer, connected

LOGGER = logging.getLogger(__name__)


def prompts_file(data_dir: Path) -> Path:
    """Where the prompts of that data directory are kept when no server has them."""
    return data_dir / "prompts" / "prompts.jsonl"


def keep_prompts(path: Path, prompts: Sequence[Prompt]) -> list[Prompt]:
    """Append those that the file does not have yet, and return them: a line is never changed."""
    known = {(p.name, p.version, p.text) for p in kept_prompts(path)}
    new = [p for p in prompts if (p.name, p.version, p.text) not in known]
    if not new:
        return []
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = "".join(f"{json.dumps(_record(p), ensure_ascii=False)}\n" for p in new).encode()
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        if os.write(descriptor, lines) < len(lines):
            raise StorageFull(f"{path}: the disk took a part only; free some space")
    finally:
        os.close(descriptor)
    return new


def kept_prompts(path: Path) -> list[Prompt]:
    """All versions, oldest first; a line that was cut off is left out."""
    if not path.exists():
        return []
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            record = json.loads(line)
            found.append(Prompt(**{k: record[k] for k in ("name", "version", "text")}))
        except (ValueError, KeyError, TypeError):
            LOGGER.warning("%s: a line is unreadable and was left out", path)
    return found


def publish_prompts(server: OpikServer, prompts: Sequence[Prompt]) -> bool:
    """Whether the server has them now. A text that it has already gets no new version there."""
    from opik.exceptions import OpikException
    from opik.rest_api.core.api_error import ApiError

    try:
        with connected(server) as client:
            for prompt in prompts:
                client.create_prompt(
                    f"{server.project}-{prompt.name}",
                    prompt.text,
                    metadata={"version": prompt.version},
                )
    except (httpx.HTTPError, OpikException, ApiError) as error:
        reason = redact(" ".join(str(error).split()))[:200]
        LOGGER.warning("the prompts are not on %s: %s", redact(server.url), reason)
        return False
    return True


def _record(prompt: Prompt) -> dict[str, object]:
    return {**prompt.model_dump(), "sha256": sha256_of(prompt.text)}
