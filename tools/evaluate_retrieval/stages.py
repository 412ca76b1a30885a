"""Stages of retrieval as the command line names them: ``ranking=dense,reranker=off``."""

from typing import get_args

from rag_llm_system.domain.errors import ConfigurationError, UnknownName
from rag_llm_system.domain.queries import Stages

DEFAULT = Stages(self_query="off")
"""The system's own but for self-query: a benchmark's questions speak of no author or date of ours."""


def stages_named(text: str) -> Stages:
    """What is not named is as in :data:`DEFAULT`. Raises UnknownName or ConfigurationError."""
    chosen: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        stage, equals, way = (each.strip() for each in part.partition("="))
        if not equals:
            raise ConfigurationError(f"stage {part!r} has no value; write it as ranking=dense")
        if stage not in Stages.model_fields:
            raise UnknownName("stage", stage, Stages.model_fields)
        ways = get_args(Stages.model_fields[stage].annotation)
        if way not in ways:
            raise UnknownName(f"value of stage {stage}", way, ways)
        chosen[stage] = way
    return Stages.model_validate({**DEFAULT.model_dump(), **chosen})
