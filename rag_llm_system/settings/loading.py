"""Reads the settings of this process: the ZenML secret first, then the environment, then ``.env``."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from rag_llm_system.domain.errors import ConfigurationError
from rag_llm_system.settings.fields import Settings
from rag_llm_system.settings.secret import read_secret


def load_settings() -> Settings:
    """The settings of this process.

    Raises ConfigurationError naming each wrong setting, never its value.
    """
    settings = _checked({})
    secret = read_secret(settings)
    return _checked(secret) if secret else settings


def _checked(secret: Mapping[str, Any]) -> Settings:
    try:
        return Settings(**secret)
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, e['loc']))}: {e['msg']}"
            for e in error.errors(include_input=False, include_url=False)
        )
        raise ConfigurationError(
            f"wrong setting (environment, .env or ZenML secret): {wrong}; see .env.example"
        ) from None
