"""The assistants of this API by name, and the users that they remember."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated

from fastapi import Request
from pydantic import AfterValidator, Field, StringConstraints

from rag_llm_system.application.rag.retriever import DEFAULT_K as DOCUMENTS_K
from rag_llm_system.infrastructure.serving.security import key_name

DOCUMENTS, CODE, MOVIES = "documents", "code", "movies"

DEFAULT_K: Mapping[str, int] = MappingProxyType({DOCUMENTS: DOCUMENTS_K, CODE: 8, MOVIES: 5})
"""How much each retrieves for a request that does not say."""

MAX_USER_CHARS = 100
_MAX_NAME_CHARS = 40


def _printable(user: str) -> str:
    if not user.isprintable():
        raise ValueError("a user has printable characters only, on one line")
    return user


# the system knows which there are, and says so of others; the schema lists them for whoever reads it
AssistantName = Annotated[
    str,
    Field(
        max_length=_MAX_NAME_CHARS,
        description="Who answers: your documents, your code bases, or the films",
        json_schema_extra={"enum": list(DEFAULT_K)},
    ),
]
# "" is nobody, of whom nothing is known
UserName = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=MAX_USER_CHARS),
    AfterValidator(_printable),
]
KnownUser = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_USER_CHARS),
    AfterValidator(_printable),
    Field(examples=["ada"]),
]


def stored_user(request: Request, user: str) -> str:
    """Under which name a user is kept: where keys are needed, below that of the key, so that none reads another's.

    The name of a key has no slash.
    """
    key = key_name(request)
    return f"{key}/{user}" if key and user else user
