"""Writes ``.env.example`` from the settings: ``python -m tools.env_example``."""

from typing import Any

from pydantic import SecretStr

from rag_llm_system.settings import PROJECT_ROOT, Settings

_HEAD = """\
# Every setting, its default and what it means. Copy to .env and uncomment what you change.
# Written by `python -m tools.env_example` from rag_llm_system/settings/fields.py; a test compares the two.
#
# For the servers of docker-compose.yml:
#   DATABASE_HOST=mongodb://rag:rag@127.0.0.1:27017
#   QDRANT_DATABASE_HOST=127.0.0.1
"""


def text() -> str:
    """One commented line of meaning and one of default per setting."""
    lines = [_HEAD]
    for name, field in Settings.model_fields.items():
        lines += [f"# {field.description}", f"#{name}={_written(field.default)}", ""]
    return "\n".join(lines)


def _written(default: Any) -> str:
    if isinstance(default, SecretStr):
        return default.get_secret_value()
    if isinstance(default, bool):
        return str(default).lower()
    return str(default)


if __name__ == "__main__":
    (PROJECT_ROOT / ".env.example").write_text(text(), encoding="utf-8")
