"""A process that answers by the RAG API with nothing heavy: ``python -m tests.light_rag_api STORE DATA_DIR``.

Encoder and language model are servers elsewhere; here they are threads. It prints what a test looks at.
"""

import json
import sys
from pathlib import Path

import psutil
from fastapi.testclient import TestClient

from rag_llm_system.bootstrap import build
from rag_llm_system.infrastructure.inference_pipeline_api import create_app
from rag_llm_system.settings import Settings
from tests.embedding_server import embedding_server
from tests.model_servers import answering, model_server
from tests.rag_apis import ADA, index, monitor, written_by


def main(store: str, data_dir: Path) -> None:
    with embedding_server() as (encoder, _), model_server("openai") as model:
        model.otherwise = answering("It stops ", "by itself. [1]")
        settings = Settings(
            DATA_DIR=data_dir,
            VECTOR_STORE=store,
            EMBEDDER="openai",
            EMBEDDING_BASE_URL=f"{encoder}/v1",
            LLM_BACKEND="openai",
            OPENAI_BASE_URL=f"{model.url}/v1",
            TRACING="off",
        )
        system = build(settings)
        index(system, [written_by(ADA, "http://a.example/1", "The server stops by itself.")])
        app = create_app(lambda: system, monitor())
        with TestClient(app, base_url="http://127.0.0.1") as client:
            answer = client.post("/rag", json={"query": "How does the server stop?"}).json()
            page = client.get("/").status_code
    said = {
        "answer": answer,
        "page": page,
        "modules": sorted({name.partition(".")[0] for name in sys.modules}),
        "memory_mb": psutil.Process().memory_info().rss // 1_000_000,
    }
    print(json.dumps(said))  # noqa: T201 - read by the test


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
