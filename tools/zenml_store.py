"""Where ZenML keeps its runs: in the clone's own data directory, unless you have a store of your own.

Must be called before anything imports zenml.
"""

import os
from collections.abc import MutableMapping
from pathlib import Path

from rag_llm_system.settings import zenml_environment

_QUIET = {
    "ZENML_ANALYTICS_OPT_IN": "false",
    "ZENML_AUTO_OPEN_DASHBOARD": "false",
    "ZENML_LOGGING_VERBOSITY": "WARNING",
    "ZENML_ENABLE_RICH_TRACEBACK": "false",
}


def use_zenml_store(
    data_dir: Path, environment: MutableMapping[str, str] = os.environ
) -> Path | None:
    """Point ZenML at ``<data_dir>/zenml`` and return that folder; None when another store was chosen."""
    for name, value in _QUIET.items():
        environment.setdefault(name, value)
    ours = zenml_environment(data_dir, environment)
    if not ours:
        return None
    environment.update(ours)
    folder = Path(ours["ZENML_CONFIG_PATH"])
    (folder / "local_stores" / "default_zen_store").mkdir(parents=True, exist_ok=True)
    return folder
