"""The fetchers and repository readers, by the name a setting uses."""

FETCHERS = {
    "http": "rag_llm_system.infrastructure.fetchers.http:HttpFetcher",
    "memory": "rag_llm_system.infrastructure.fetchers.memory:MemoryFetcher",
}

REPOSITORY_READERS = {
    "git": "rag_llm_system.infrastructure.fetchers.git:GitRepositoryReader",
    "memory": "rag_llm_system.infrastructure.fetchers.memory:MemoryRepositoryReader",
}
