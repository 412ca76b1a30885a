"""``/preferences``: what the film assistant knows of a user's taste."""

from collections.abc import Callable
from typing import Annotated, TypeVar

from anyio.to_thread import run_sync
from fastapi import APIRouter, Path, Query, Request
from fastapi.exceptions import HTTPException

from rag_llm_system.domain.films import Preference
from rag_llm_system.infrastructure.inference_pipeline_api.assistants import KnownUser, stored_user
from rag_llm_system.infrastructure.inference_pipeline_api.bodies import (
    KeptPreference,
    KeptPreferences,
    PreferenceRequest,
)
from rag_llm_system.infrastructure.inference_pipeline_api.parts import FilmPreferences, Serving
from rag_llm_system.infrastructure.serving.errors import error_responses

_MAX_ID_CHARS = 100

_User = Annotated[KnownUser, Query(description="Whose: the user of the requests")]

T = TypeVar("T")


def router(serving: Serving) -> APIRouter:
    routes = APIRouter(prefix="/preferences", tags=["films"], responses=error_responses)

    @routes.get("")
    async def preferences(user: _User, request: Request) -> KeptPreferences:
        """What a user told so far, films they have seen included."""
        who = stored_user(request, user)
        known = await _with_preferences(serving, lambda kept: kept.all(who))
        return KeptPreferences(preferences=[_shown(serving, one) for one in known])

    @routes.post("", status_code=201)
    async def add(body: PreferenceRequest, request: Request) -> KeptPreference:
        """Keep a sentence on a user's taste; "I have seen Heat" is kept as a film seen."""
        text = await run_sync(serving.governed.admitted, body.text)
        who = stored_user(request, body.user)
        added = await _with_preferences(serving, lambda kept: kept.add(who, text))
        return _shown(serving, added)

    @routes.delete("/{id}", status_code=204)
    async def remove(
        id: Annotated[str, Path(max_length=_MAX_ID_CHARS)], user: _User, request: Request
    ) -> None:
        """Forget one of them."""
        who = stored_user(request, user)
        if not await _with_preferences(serving, lambda kept: kept.remove(who, id)):
            raise HTTPException(404, f"no preference {id!r} of this user")

    return routes


async def _with_preferences(serving: Serving, use: Callable[[FilmPreferences], T]) -> T:
    """In a thread: the first use opens what they are kept in."""
    system = await serving.system()
    return await run_sync(lambda: use(system.film_preferences))


def _shown(serving: Serving, preference: Preference) -> KeptPreference:
    """Without the user, whose stored name has the key's in it."""
    text = serving.governed.screened(preference.text)
    return KeptPreference(id=preference.id, kind=preference.kind, text=text)
