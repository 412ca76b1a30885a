"""The error for a model that a server does not have."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from rag_llm_system.domain.errors import ConfigurationError, RagSystemError
from rag_llm_system.infrastructure.llms.refusals import NotThere

_SHOWN = 20


async def unknown_model(
    model_id: str, names: AsyncGenerator[list[str]], setting: str, refused: NotThere
) -> ConfigurationError:
    """Names the models that are there; where there is no list, or it has the model, the address is wrong."""
    try:
        async with aclosing(names):
            known = await anext(names)
    except RagSystemError:
        known = [model_id]
    if model_id in known:
        return ConfigurationError(f"{refused} and {setting}")
    more = f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
    shown = ", ".join(known[:_SHOWN]) or "none"
    return ConfigurationError(
        f"there is no model {model_id!r}; the server has: {shown}{more}; set {setting}"
    )
