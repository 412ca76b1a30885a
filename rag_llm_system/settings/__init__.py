"""Where things are and which backend is used.

Read once, from the first of these that has a value: the ZenML secret ``settings``, the environment, ``.env``.
An address that is not set means the embedded engine.
"""

from rag_llm_system.settings.fields import PROJECT_ROOT, Settings
from rag_llm_system.settings.loading import load_settings
from rag_llm_system.settings.secret import (
    SECRET_NAME,
    forget_secret,
    remember_secret,
    zenml_environment,
)

__all__ = [
    "PROJECT_ROOT",
    "SECRET_NAME",
    "Settings",
    "forget_secret",
    "load_settings",
    "remember_secret",
    "zenml_environment",
]
