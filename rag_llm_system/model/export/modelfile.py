"""The Modelfile with which Ollama serves an exported model."""

from rag_llm_system.domain.errors import ConfigurationError
from rag_llm_system.model.finetuning.chat_template import (
    BEGIN_OF_TEXT,
    END_HEADER,
    END_OF_TURN,
    START_HEADER,
)

LARGEST_DEFAULT_CONTEXT = 8192
"""Tokens. Ollama sets memory aside for the whole context: 131,072 tokens of an 8B Llama 3.1 take 16 GiB."""

_QUOTES = '"""'

_TEMPLATE = (
    BEGIN_OF_TEXT + "{{ range .Messages }}" + START_HEADER + "{{ .Role }}" + END_HEADER + "\n\n"
    "{{ .Content }}" + END_OF_TURN + "{{ end }}" + START_HEADER + "assistant" + END_HEADER + "\n\n"
)
"""The chat template in Ollama's language."""


def modelfile(
    source: str, *, context_tokens: int, temperature: float = 0.2, system: str = ""
) -> str:
    """``source`` is what FROM names: a GGUF file or a folder, relative to the Modelfile.

    Raises ConfigurationError for a system message that cannot be quoted.
    """
    if _QUOTES in system:
        raise ConfigurationError('the system message holds """, which ends it in a Modelfile')
    lines = [
        f"FROM {source}",
        f"TEMPLATE {_QUOTES}{_TEMPLATE}{_QUOTES}",
        f"PARAMETER stop {END_OF_TURN}",
        f"PARAMETER num_ctx {min(context_tokens, LARGEST_DEFAULT_CONTEXT)}",
        f"PARAMETER temperature {temperature:g}",
    ]
    if system:
        lines.append(f"SYSTEM {_QUOTES}{system}{_QUOTES}")
    return "\n".join(lines) + "\n"
