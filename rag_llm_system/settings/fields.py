"""Every setting, with its default and its meaning."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT_ROOT = Path(__file__).resolve().parents[2]


class Settings(BaseSettings):
    """Every setting; a field's description is its line in ``.env.example``."""

    model_config = SettingsConfigDict(
        env_file=PROJECT_ROOT / ".env", extra="forbid", frozen=True, case_sensitive=True
    )

    DATA_DIR: Path = Field(
        Path(".rag"),
        description="Where the embedded engines keep their files (relative: to the clone)",
    )

    DATABASE_HOST: SecretStr = Field(
        SecretStr(""), description="MongoDB URI; empty: an embedded server, started on demand"
    )
    DATABASE_NAME: str = Field("twin", description="Name of the MongoDB database")

    VECTOR_STORE: str = Field(
        "qdrant", description="qdrant, faiss, chroma, memory, or package.module:Class"
    )
    USE_QDRANT_CLOUD: bool = Field(False, description="Use QDRANT_CLOUD_URL and QDRANT_APIKEY")
    QDRANT_DATABASE_HOST: str = Field(
        "", description="Host of a Qdrant server; empty: Qdrant Edge in this process"
    )
    QDRANT_DATABASE_PORT: int = Field(6333, description="Port of that server")
    QDRANT_CLOUD_URL: str = Field("", description="URL of a Qdrant cloud cluster")
    QDRANT_APIKEY: SecretStr = Field(SecretStr(""), description="API key of that cluster")

    CRAWLER_CONTACT: str = Field(
        "",
        description="E-mail or URL in the crawler's User-Agent, so that sites can reach you",
    )
    CRAWLER_BROWSER: str = Field("", description="Path of Chromium or Chrome; empty: looked for")
    CRAWLER_DRIVER: str = Field("", description="Path of its ChromeDriver; empty: looked for")

    EMBEDDER: str = Field(
        "sentence-transformers",
        description="sentence-transformers, openai, ollama, hashing, or package.module:Class",
    )
    TEXT_EMBEDDING_MODEL_ID: str = Field(
        "sentence-transformers/all-MiniLM-L6-v2",
        description="Encoder; the default's weights are installed with the project",
    )
    EMBEDDING_DTYPE: str = Field(
        "auto", description="auto (bfloat16 where the processor is fast at it), float32, bfloat16"
    )
    EMBEDDING_BASE_URL: str = Field(
        "", description="EMBEDDER=openai or ollama: its server; empty: theirs, or this machine's"
    )
    EMBEDDING_API_KEY: SecretStr = Field(SecretStr(""), description="Key of that server")
    EMBEDDING_MAX_TOKENS: int = Field(
        512, ge=16, description="How many tokens that server's model reads at once"
    )
    EMBEDDING_QUERY_PREFIX: str = Field(
        "", description="Put before questions, for that server's models that want it"
    )
    EMBEDDING_DOCUMENT_PREFIX: str = Field("", description="Put before documents, likewise")
    EMBEDDING_CACHE_MB: int = Field(
        1024, ge=0, description="Vectors kept so that no text is embedded twice; 0: none"
    )
    TOKEN_VECTORS_MB: int = Field(
        4096,
        ge=0,
        description="Token vectors kept for reranking, 500 MB for 10,000 long chunks; 0: none",
    )

    SELF_QUERY: Literal["off", "rules", "llm"] = Field(
        "rules", description="Reads authors, dates and the like out of questions: rules, llm, off"
    )
    QUERY_EXPANSION: Literal["off", "feedback", "llm"] = Field(
        "off", description="A second search: off, feedback (nearer to the first results), llm"
    )
    QUERY_VARIATIONS: int = Field(
        2, ge=1, le=10, description="QUERY_EXPANSION=llm: other ways to put the question"
    )
    QUERY_EXPANSION_BUDGET_S: float = Field(
        5.0, gt=0, description="QUERY_EXPANSION=llm: how long a question may wait for them"
    )
    RANKING: Literal["evidence", "rrf", "dense", "bm25"] = Field(
        "evidence", description="evidence (meaning and words), rrf (both by rank), dense, bm25"
    )
    RERANKER: Literal["late-interaction", "cross-encoder", "off"] = Field(
        "late-interaction", description="late-interaction (the encoder's own), cross-encoder, off"
    )
    RERANKING_CROSS_ENCODER_MODEL_ID: str = Field(
        "cross-encoder/ms-marco-MiniLM-L-4-v2", description="RERANKER=cross-encoder: its model"
    )
    RERANKING_TIME_LIMIT_S: float = Field(
        2.0, gt=0, description="RERANKER=cross-encoder: what is not scored by then keeps its place"
    )
    RAG_MODEL_DEVICE: str = Field(
        "auto",
        description="Device of encoder and reranker: auto (a GPU if there is one), cpu, cuda, mps",
    )

    CONTEXT_TOKENS: int = Field(
        3000, ge=100, description="How much of the sources an answer is written from, in tokens"
    )
    CONTEXT_DIVERSITY: float = Field(
        0.0, ge=0, lt=1, description="Above 0, sources that say something else are preferred (MMR)"
    )

    FOLLOW_UPS: Literal["rules", "llm", "off"] = Field(
        "rules",
        description="Makes a whole question of a follow-up and its history: rules, llm, off",
    )
    INJECTION_DEFENCE: Literal["on", "off"] = Field(
        "on", description="Takes instructions to the model out of sources: on, off (to measure it)"
    )
    UNGROUNDED_ANSWERS: Literal["mark", "refuse"] = Field(
        "mark",
        description="An answer that cites none of its sources: mark it, or refuse to give it",
    )

    LLM_BACKEND: str = Field(
        "extractive",
        description="extractive (quotes, no model), local, openai, ollama, sagemaker, or package.module:Class",
    )
    OPENAI_MODEL_ID: str = Field("gpt-4o-mini", description="LLM_BACKEND=openai: its model")
    OPENAI_API_KEY: SecretStr = Field(SecretStr(""), description="Its key; vLLM and TGI need none")
    OPENAI_BASE_URL: str = Field(
        "https://api.openai.com/v1", description="OpenAI, or the /v1 of vLLM, TGI and the like"
    )
    OLLAMA_MODEL_ID: str = Field("llama3.1:8b", description="LLM_BACKEND=ollama: its model")
    OLLAMA_BASE_URL: str = Field("http://127.0.0.1:11434", description="Where Ollama listens")
    OLLAMA_NUM_CTX: int = Field(8192, ge=512, description="Tokens of prompt and answer together")
    OLLAMA_NUM_GPU: int = Field(-1, ge=-1, description="Layers on the GPU; -1: Ollama decides")
    SAGEMAKER_ENDPOINT_INFERENCE: str = Field(
        "twin", description="LLM_BACKEND=sagemaker: name of the endpoint"
    )
    AWS_REGION: str = Field("", description="Its region; empty: as boto3 finds it")
    LOCAL_INFERENCE_ENDPOINT_URL: str = Field(
        "http://127.0.0.1:8000/infer",
        description="LLM_BACKEND=local: the inference server to ask",
    )
    LOCAL_INFERENCE_API_KEY: SecretStr = Field(
        SecretStr(""), description="Key for that server, where it wants one"
    )
    LLM_CONNECT_TIMEOUT_S: float = Field(3.0, gt=0, description="How long a connection may take")
    LLM_READ_TIMEOUT_S: float = Field(
        50.0, gt=0, description="How long a model may think before its first word"
    )
    LLM_IDLE_TIMEOUT_S: float = Field(
        30.0, gt=0, description="How long it may be silent between two words"
    )
    TEMPERATURE_INFERENCE: float = Field(0.01, ge=0, le=2, description="Sampling temperature")
    TOP_P_INFERENCE: float = Field(0.9, gt=0, le=1, description="Nucleus sampling")
    MAX_NEW_TOKENS_INFERENCE: int = Field(150, ge=1, description="Longest answer, in tokens")
    GROUNDED_DECODING: Literal["auto", "off"] = Field(
        "auto",
        description="auto: titles are written from the context only, where the server can; off: only checked after",
    )
    CODE_CHUNK_TOKENS: int = Field(
        400, ge=16, description="Code assistant: longest chunk, in the encoder's tokens"
    )
    CODE_CHUNK_OVERLAP_TOKENS: int = Field(
        50, ge=0, description="What a chunk that begins amid a function repeats of the one before"
    )
    CODE_TOP_K: int = Field(8, ge=1, le=100, description="How many chunks of code are retrieved")
    CODE_NUM_CTX: int = Field(
        8192, ge=1024, description="Tokens of prompt and answer together, never exceeded"
    )
    CODE_MAX_TOKENS: int = Field(1000, ge=1, description="Longest answer about code, in tokens")
    CODE_TEMPERATURE: float = Field(
        0.7, ge=0, le=2, description="Sampling temperature of those answers"
    )
    MOVIES_USER: str = Field(
        "me", description="Movie assistant: whose preferences the commands keep and use"
    )
    MOVIES_TOP_K: int = Field(5, ge=1, le=20, description="How many films are recommended")
    MOVIES_PROMPT: Literal["documented", "trained"] = Field(
        "documented",
        description="trained: as the model of poe movies-train knows it; documented: for any other",
    )
    MOVIES_MAX_TOKENS: int = Field(800, ge=1, description="Longest recommendation, in tokens")
    MOVIES_TEMPERATURE: float = Field(0.7, ge=0, le=2, description="Sampling temperature of it")
    HUGGINGFACE_ACCESS_TOKEN: SecretStr = Field(
        SecretStr(""), description="For gated models and private datasets"
    )

    RAG_API_HOST: str = Field("127.0.0.1", description="Address the RAG API listens on")
    RAG_API_PORT: int = Field(8001, description="Port of the RAG API (/rag)")
    RAG_API_KEYS: str = Field(
        "", description="Keys it takes, name:hash,name:hash; poe make-api-key makes one"
    )
    RAG_DEADLINE_S: float = Field(
        60.0, gt=0, description="How long an answer may take; a request may ask for less"
    )
    INFERENCE_HOST: str = Field("127.0.0.1", description="Address the inference server listens on")
    INFERENCE_PORT: int = Field(8000, description="Port of the inference server (/infer)")
    INFERENCE_API_KEYS: str = Field("", description="Keys it takes, likewise")
    INFERENCE_ENGINE: Literal["auto", "batched", "plain", "openai"] = Field(
        "auto",
        description="batched (requests together), plain, openai (hands on to vLLM); auto: batched or plain",
    )
    INFERENCE_UPSTREAM_URL: str = Field(
        "", description="INFERENCE_ENGINE=openai: the /v1 of a vLLM server"
    )
    INFERENCE_UPSTREAM_API_KEY: SecretStr = Field(
        SecretStr(""), description="Its key, where it wants one"
    )
    INFERENCE_THREADS: int = Field(
        0, ge=0, description="Threads of a model on the processor; 0: one for each core"
    )
    INFERENCE_MAX_WAITING: int = Field(
        32, ge=1, description="Requests that may wait; more are sent away with 429"
    )
    RATE_LIMIT_PER_MINUTE: int = Field(
        600, ge=0, description="Requests of one key in a minute, to each server; 0: no limit"
    )
    CORS_ORIGINS: str = Field(
        "", description="Origins of other sites' pages that may ask, comma-separated; empty: none"
    )
    ALLOWED_HOSTS: str = Field(
        "",
        description="Host names the servers answer to, comma-separated; empty: loopback's, or any with keys",
    )
    GOVERNANCE_POLICY: str = Field(
        "configs/governance.yaml", description="What may go in and out of the servers"
    )

    TRACING: Literal["auto", "off"] = Field(
        "auto", description="auto: Opik if configured below, else a local file; off: nothing"
    )
    OPIK_URL_OVERRIDE: str = Field("", description="URL of an Opik server, ending in /api")
    OPIK_API_KEY: SecretStr = Field(SecretStr(""), description="API key of Opik's cloud")
    OPIK_WORKSPACE: str = Field("default", description="Opik workspace")
    OPIK_PROJECT_NAME: str = Field("twin", description="Opik project")

    @property
    def data_dir(self) -> Path:
        """``DATA_DIR`` as an absolute path."""
        return self.DATA_DIR if self.DATA_DIR.is_absolute() else PROJECT_ROOT / self.DATA_DIR
