"""The only place that chooses and constructs adapters: ``build(settings)`` gives the system they describe."""

from rag_llm_system.bootstrap.backends import vector_store
from rag_llm_system.bootstrap.language_models import EXTRACTIVE
from rag_llm_system.bootstrap.system import System, build

__all__ = ["EXTRACTIVE", "System", "build", "vector_store"]
