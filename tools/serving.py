"""What the commands that start a server share."""

import os
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

from rag_llm_system.infrastructure.local.governance import (
    GovernanceLog,
    GovernanceMonitor,
    Policy,
    Server,
)
from rag_llm_system.infrastructure.serving.security import Access, access_for
from rag_llm_system.infrastructure.serving.wire import wire_limits
from rag_llm_system.settings import PROJECT_ROOT, Settings

if TYPE_CHECKING:
    from fastapi import FastAPI

SHUTDOWN_S = 5
"""How long Ctrl-C waits for answers that are being written."""


def access_of(settings: Settings, host: str, keys_setting: str) -> Access:
    """Who may ask: keys, rates and names by the settings.

    Raises ConfigurationError for an address that others can reach when no key is set.
    """
    return access_for(
        host,
        keys_setting=getattr(settings, keys_setting),
        setting=keys_setting,
        rate_per_minute=settings.RATE_LIMIT_PER_MINUTE,
        cors_origins=settings.CORS_ORIGINS,
        allowed_hosts=settings.ALLOWED_HOSTS,
    )


def monitor_of(settings: Settings, server: Server) -> GovernanceMonitor:
    """The policy of GOVERNANCE_POLICY; what passes is recorded below the data directory."""
    return GovernanceMonitor(
        Policy.from_file(PROJECT_ROOT / settings.GOVERNANCE_POLICY),
        GovernanceLog(settings.data_dir / "governance" / f"{server}.jsonl"),
        server=server,
    )


def serve(app: "FastAPI", host: str, port: int) -> None:
    """Until Ctrl-C or SIGTERM; both let the caller close the rest."""
    import uvicorn

    # uvicorn raises the signal again when it has stopped
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    uvicorn.run(
        app,
        host=host,
        port=port,
        log_level="warning",
        timeout_graceful_shutdown=SHUTDOWN_S,
        **wire_limits(),
    )


def leave() -> NoReturn:
    """Ends the process when all is closed.

    Python would wait for threads that still load or download a model, which cannot be interrupted, and then look
    through all of torch for what else to free: seconds on a busy machine.
    """
    sys.stdout.flush()
    os._exit(0)
