"""Language models and the rules of answers, chosen and built by the settings."""

from collections.abc import Callable, Mapping
from typing import Any

from rag_llm_system.domain.errors import UnknownName
from rag_llm_system.domain.ports import LLM
from rag_llm_system.infrastructure.llms import LLMS
from rag_llm_system.infrastructure.llms.timeouts import Timeouts
from rag_llm_system.infrastructure.loading import load
from rag_llm_system.settings import Settings

EXTRACTIVE = "extractive"


def language_model(settings: Settings, headers: Callable[[], Mapping[str, str]]) -> LLM:
    """The model of LLM_BACKEND; ``headers`` go with each request, so that a trace goes on at the other end.

    Raises UnknownName where none is set.
    """
    name = settings.LLM_BACKEND
    if name not in LLMS and ":" not in name:
        raise UnknownName("LLM backend", name, [EXTRACTIVE, *LLMS])
    llm: LLM = load("LLM backend", name, LLMS)(**_options(settings, headers).get(name, {}))
    return llm


def _options(
    settings: Settings, headers: Callable[[], Mapping[str, str]]
) -> Mapping[str, Mapping[str, Any]]:
    asking = {
        "top_p": settings.TOP_P_INFERENCE,
        "timeouts": Timeouts(
            connect_s=settings.LLM_CONNECT_TIMEOUT_S,
            read_s=settings.LLM_READ_TIMEOUT_S,
            idle_s=settings.LLM_IDLE_TIMEOUT_S,
        ),
    }
    return {
        "openai": {
            "model_id": settings.OPENAI_MODEL_ID,
            "base_url": settings.OPENAI_BASE_URL,
            "api_key": settings.OPENAI_API_KEY,
            "headers": headers,
            **asking,
        },
        "local": {
            "url": settings.LOCAL_INFERENCE_ENDPOINT_URL,
            "api_key": settings.LOCAL_INFERENCE_API_KEY,
            "headers": headers,
            **asking,
        },
        "ollama": {
            "model_id": settings.OLLAMA_MODEL_ID,
            "base_url": settings.OLLAMA_BASE_URL,
            "num_ctx": settings.OLLAMA_NUM_CTX,
            "num_gpu": settings.OLLAMA_NUM_GPU,
            "headers": headers,
            **asking,
        },
        "sagemaker": {
            "endpoint": settings.SAGEMAKER_ENDPOINT_INFERENCE,
            "region": settings.AWS_REGION,
            **asking,
        },
    }
