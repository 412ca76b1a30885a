"""From documents to an answer of the model that was trained on them: every part is real, only small."""

import queue
from pathlib import Path
from typing import Any

from rag_llm_system.application.dataset.export import read_split, write_split
from rag_llm_system.application.dataset.generation import rows_from_documents
from rag_llm_system.application.dataset.split import split_by_document
from rag_llm_system.domain.documents import CleanedDocument
from rag_llm_system.domain.errors import RagSystemError
from rag_llm_system.model.evaluation.style import evaluate
from rag_llm_system.model.finetuning.config import LoraSettings, ScratchSettings, TrainingConfig
from rag_llm_system.model.finetuning.sft import finetune
from rag_llm_system.model.folder import load_finetuned
from rag_llm_system.model.inference.engine import open_engine

TOPICS = ("vectors", "chunks", "crawlers", "encoders", "rerankers", "prompts", "queries", "stores")
CONFIG = TrainingConfig(
    base="scratch",
    max_steps=20,
    learning_rate=3e-3,
    batch_size=4,
    max_length=300,
    logging_steps=5,
    lora=LoraSettings(r=8, alpha=16, dropout=0.0),
    scratch=ScratchSettings(
        vocab_size=500, hidden_size=64, layers=2, heads=2, kv_heads=1, max_positions=512,
        max_steps=60, batch_size=4, block_tokens=48, learning_rate=5e-3,
    ),
)  # fmt: skip


def article(topic: str) -> CleanedDocument:
    sections = "\n\n".join(
        f"## {part} {topic}\n\nWe keep our {topic} simple, so that the {part.lower()} is easy to see."
        f" Each part of the system that works with {topic} has one owner and one test."
        for part in ("Design of", "Use of", "Cost of")
    )
    return CleanedDocument(
        id=topic,
        category="articles",
        platform="custom_article",
        link=f"https://example.org/{topic}",
        title=f"On {topic}",
        text=sections,
        author_id="team",
        author_full_name="The Team",
        fingerprint="f",
    )


class Answer:
    """Waits for the whole answer."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self._end: queue.Queue[Any] = queue.Queue()

    def text(self, piece: str) -> None:
        self.pieces.append(piece)

    def done(self, reason: str, prompt_tokens: int, completion_tokens: int) -> None:
        self._end.put(reason)

    def failed(self, error: RagSystemError) -> None:
        self._end.put(error)

    def end(self) -> Any:
        return self._end.get(timeout=30)


def test_a_model_is_trained_on_documents_measured_and_asked(tmp_path: Path):
    rows = rows_from_documents(map(article, TOPICS))
    write_split(tmp_path / "dataset", split_by_document(rows, test_share=0.25, seed=1))
    split = read_split(tmp_path / "dataset")
    assert (len(split.train), len(split.test)) == (18, 6)

    result = finetune(
        CONFIG, split.train, split.test, output_dir=tmp_path / "model", on_log=lambda _: None
    )
    adapter = result.phases[-1]
    assert adapter.losses[-1][1] < adapter.losses[0][1]

    report = evaluate(load_finetuned(result.folder), split.test, generate=3, max_new_tokens=120)
    # the base never saw a turn end; on so few rows the loss on unseen topics need not fall
    assert (report.before.ended, report.before.sentence_form) == (0, 0)
    assert report.after.ended > 0
    assert report.after.sentence_form > 0

    engine = open_engine(result.folder)
    answer = Answer()
    engine.start(
        split.test[0].messages[:-1],
        answer,
        max_new_tokens=120,
        temperature=0,
        top_p=1,
    )
    assert answer.end() in {"stop", "length"}
    assert "".join(answer.pieces) == report.examples[0].after
    engine.close()
