"""Sandboxes: where text that nobody trusts is parsed."""

from collections.abc import Mapping

SANDBOXES: Mapping[str, str] = {
    "process": "rag_llm_system.infrastructure.sandboxes.process:ProcessSandbox",
    "inline": "rag_llm_system.infrastructure.sandboxes.inline:InlineSandbox",
}
