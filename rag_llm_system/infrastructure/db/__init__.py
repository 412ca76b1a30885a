"""Document stores: the data warehouse of authors and raw documents."""

from collections.abc import Mapping

DOCUMENT_STORES: Mapping[str, str] = {
    "mongo": "rag_llm_system.infrastructure.db.mongo:MongoDocumentStore",
    "embedded": "rag_llm_system.infrastructure.db.embedded_mongo:EmbeddedMongoDocumentStore",
    "memory": "rag_llm_system.infrastructure.db.memory:MemoryDocumentStore",
}
