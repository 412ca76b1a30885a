"""The prompts that questions are answered with, kept version by version where traces are."""

import logging
import threading

from rag_llm_system.application.rag.follow_up import FOLLOW_UP_VERSION
from rag_llm_system.application.rag.follow_up import SYSTEM as FOLLOW_UP
from rag_llm_system.application.rag.prompt_templates import CODE, MOVIES, PROSE
from rag_llm_system.application.rag.query_expansion import EXPANSION_VERSION
from rag_llm_system.application.rag.query_expansion import SYSTEM as EXPANSION
from rag_llm_system.bootstrap.opik_server import opik_server
from rag_llm_system.domain.errors import RagSystemError
from rag_llm_system.domain.prompts import Prompt
from rag_llm_system.settings import Settings

_log = logging.getLogger(__name__)


def prompts_in_use() -> list[Prompt]:
    templates = [
        Prompt(name=t.name, version=t.version, text=t.system) for t in (PROSE, CODE, MOVIES)
    ]
    return [
        *templates,
        Prompt(name="expansion", version=EXPANSION_VERSION, text=EXPANSION),
        Prompt(name="follow-up", version=FOLLOW_UP_VERSION, text=FOLLOW_UP),
    ]


def keep_prompts(settings: Settings) -> None:
    """In Opik's prompt library when a server is set, else in a file; in the background, and never an error."""
    if settings.TRACING != "off":
        threading.Thread(target=_keep, args=(settings,), name="prompts", daemon=True).start()


def _keep(settings: Settings) -> None:
    from rag_llm_system.infrastructure.tracing import prompt_library as library

    try:
        if server := opik_server(settings):
            library.publish_prompts(server, prompts_in_use())
        else:
            library.keep_prompts(library.prompts_file(settings.data_dir), prompts_in_use())
    except (RagSystemError, OSError) as error:
        _log.warning("the prompts could not be kept: %s", error)
