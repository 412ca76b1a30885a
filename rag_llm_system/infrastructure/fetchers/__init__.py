"""The fetchers and repository readers, by name."""

FETCHERS = {
    "http": "rag_llm_system.infrastructure.fetchers.http:HttpFetcher",
    "browser": "rag_llm_system.infrastructure.fetchers.browser:BrowserFetcher",
    "memory": "rag_llm_system.infrastructure.fetchers.memory:MemoryFetcher",
}

REPOSITORY_READERS = {
    "git": "rag_llm_system.infrastructure.fetchers.git:GitRepositoryReader",
    "tarball": "rag_llm_system.infrastructure.fetchers.tarball:TarballRepositoryReader",
    "memory": "rag_llm_system.infrastructure.fetchers.memory:MemoryRepositoryReader",
}
