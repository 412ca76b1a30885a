"""The settings in ZenML's secret store, read by a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from rag_llm_system.domain.errors import ConfigurationError
from rag_llm_system.settings.fields import PROJECT_ROOT, Settings

SECRET_NAME = "settings"  # noqa: S105 - the documented name of the ZenML secret, not a secret


def zenml_environment(data_dir: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that make ``<data_dir>/zenml`` the ZenML store; empty when a store was chosen before.

    A store counts as chosen when ZENML_CONFIG_PATH or ZENML_STORE_URL is set, or ``zenml init`` was run
    in the clone. Ours is named outright, so that a dashboard that was started and died cannot point runs
    at itself.
    """
    chosen = environment.get("ZENML_CONFIG_PATH") or environment.get("ZENML_STORE_URL")
    if chosen or (PROJECT_ROOT / ".zen").exists():
        return {}
    folder = data_dir / "zenml"
    database = folder / "local_stores" / "default_zen_store" / "zenml.db"
    return {
        "ZENML_CONFIG_PATH": str(folder),
        "ZENML_STORE_TYPE": "sql",
        "ZENML_STORE_URL": f"sqlite:///{database}",
    }


def _marker(settings: Settings) -> Path:
    """Its presence says that the secret was exported; reading it costs seconds, so others skip it."""
    return settings.data_dir / "settings-in-zenml"


def remember_secret(settings: Settings) -> None:
    """From now on processes of this clone read the ZenML secret first."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    _marker(settings).touch()


def forget_secret(settings: Settings) -> None:
    _marker(settings).unlink(missing_ok=True)


def read_secret(settings: Settings) -> dict[str, str]:
    """The values of the ZenML secret, read by a process of its own: zenml takes over the logging and
    the output of whatever imports it."""
    if not _marker(settings).exists():
        return {}
    environment = {
        **os.environ,
        **zenml_environment(settings.data_dir, os.environ),
        "ZENML_ANALYTICS_OPT_IN": "false",
    }
    reader = subprocess.run(
        [sys.executable, "-m", "rag_llm_system.settings.print_secret"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if reader.returncode != 0:
        raise ConfigurationError(
            f"the ZenML secret {SECRET_NAME!r} cannot be read; "
            "export it again or run: poe delete-settings-zenml"
        )
    found: dict[str, str] = json.loads(reader.stdout.splitlines()[-1])
    return found
