"""The size of a collection is asked for now and then."""

from rag_llm_system.application.rag.sizes import Sizes
from rag_llm_system.domain.ports import CollectionSpec, Record
from rag_llm_system.infrastructure.vector_stores.memory import MemoryVectorStore

ID = "00000000-0000-5000-8000-00000000000{}"


def test_a_size_is_kept_for_a_while_and_asked_for_again() -> None:
    now = [0.0]
    store = MemoryVectorStore()
    store.ensure("chunks", CollectionSpec())
    sizes = Sizes(store, lambda: now[0])
    assert sizes.of("chunks") == 0
    store.upsert("chunks", [Record(id=ID.format(1), payload={})])
    assert sizes.of("chunks") == 0
    now[0] = 11.0
    assert sizes.of("chunks") == 1
