"""Puts the RAG API together."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from fastapi import FastAPI

from rag_llm_system.infrastructure import chat_page
from rag_llm_system.infrastructure.inference_pipeline_api import about, answers, chat, preferences
from rag_llm_system.infrastructure.inference_pipeline_api.assistants import DEFAULT_K
from rag_llm_system.infrastructure.inference_pipeline_api.governed import Governed
from rag_llm_system.infrastructure.inference_pipeline_api.parts import Serving, System
from rag_llm_system.infrastructure.local.governance import GovernanceMonitor
from rag_llm_system.infrastructure.serving.errors import install_error_handlers
from rag_llm_system.infrastructure.serving.metrics import ServerMetrics
from rag_llm_system.infrastructure.serving.security import Access, protect

TITLE = "rag-llm-system"
DEADLINE_S = 60.0

MOST_IN_WORK = 64
"""Answers that are made at once; each waits for a model most of its time."""

RETRIEVING = 4
"""Questions in retrieval at once. It is the processor's work: more at once only share it, and all get slower."""

_DESCRIPTION = """\
Answers questions from your own texts, with numbered sources. `assistant` chooses who answers: your documents, your code
bases (with files and lines), or the films, which are recommended by what a `user` likes.

`POST /rag` with `"stream": true` sends server-sent events: `sources` first, then `token`s, last `done` with the whole
answer, or `error`. `/v1/chat/completions` is the same for clients that speak OpenAI's protocol.
"""


def create_app(
    open_system: Callable[[], System],
    monitor: GovernanceMonitor,
    *,
    access: Access = Access(),  # noqa: B008 - frozen
    deadline_s: float = DEADLINE_S,
    most_in_work: int = MOST_IN_WORK,
    default_k: Mapping[str, int] = DEFAULT_K,
) -> FastAPI:
    """``open_system`` builds the system (see ``bootstrap.build``) in a thread; the app closes it when it stops.

    No answer takes longer than ``deadline_s``. ``default_k``: how much each assistant retrieves by itself.
    """
    metrics = ServerMetrics("rag_api")
    governed = Governed(monitor, metrics, most=most_in_work, retrieving=RETRIEVING)
    serving = Serving(open_system, governed, metrics, deadline_s=deadline_s, default_k=default_k)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        serving.start()
        yield
        await serving.close()

    app = FastAPI(title=TITLE, description=_DESCRIPTION, lifespan=lifespan)
    install_error_handlers(app)
    for routes in (answers, chat, preferences, about):
        app.include_router(routes.router(serving))
    chat_page.mount(app)
    metrics.gauge("answers_in_work", "Answers that are being made", lambda: governed.in_work)
    protect(app, access)
    metrics.install(app)
    return app
