"""The chat page at ``/``: static files without a build step and without anybody else's code."""

from rag_llm_system.infrastructure.chat_page.page import CONTENT_SECURITY_POLICY, mount

__all__ = ["CONTENT_SECURITY_POLICY", "mount"]
