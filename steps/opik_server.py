"""The Opik server that evaluations are sent to as experiments."""

from typing import TYPE_CHECKING

from rag_llm_system.bootstrap import System

if TYPE_CHECKING:
    from rag_llm_system.infrastructure.tracing.opik_experiments import OpikServer


def opik_server(system: System) -> "OpikServer | None":
    """None where no server is set, or tracing is off."""
    settings = system.settings
    key = settings.OPIK_API_KEY.get_secret_value()
    if settings.TRACING == "off" or not (settings.OPIK_URL_OVERRIDE or key):
        return None
    from rag_llm_system.infrastructure.tracing.opik_experiments import (  # imports the SDK
        CLOUD_URL,
        OpikServer,
    )

    return OpikServer(
        settings.OPIK_URL_OVERRIDE or CLOUD_URL,
        key,
        settings.OPIK_WORKSPACE,
        settings.OPIK_PROJECT_NAME,
    )
