"""The Opik server that evaluations and prompts are sent to."""

from typing import TYPE_CHECKING

from rag_llm_system.settings import Settings

if TYPE_CHECKING:
    from rag_llm_system.infrastructure.tracing.opik_experiments import OpikServer


def opik_server(settings: Settings) -> "OpikServer | None":
    """None where no server is set, or tracing is off."""
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
