"""From documents to an answer of the model that was trained on them: every part is real, only small."""

import queue
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rag_llm_system.application.dataset.generation import generate
from rag_llm_system.application.dataset.generation_report import GenerationReport
from rag_llm_system.application.dataset.offline import OfflineGenerator
from rag_llm_system.application.dataset.prompts import create_prompts
from rag_llm_system.application.dataset.rows_files import TEST_FILE, TRAIN_FILE, RowsFile
from rag_llm_system.application.dataset.split import split_rows
from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.documents import CleanedDocument
from rag_llm_system.domain.errors import RagSystemError
from rag_llm_system.model.dataset_rows import dataset_of
from rag_llm_system.model.finetuned import load_finetuned
from rag_llm_system.model.finetuning.base_model import LoadedModel
from rag_llm_system.model.finetuning.config import LoraSettings, ScratchSettings, TrainingConfig
from rag_llm_system.model.finetuning.sft import finetune
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
    prompts = create_prompts(map(article, TOPICS), "instruction")
    rows = list(generate(prompts, OfflineGenerator(), GenerationReport()))
    split_rows(rows, tmp_path / "dataset", test_share=0.25, seed=1, answers=False)
    train, test = (
        RowsFile(tmp_path / "dataset" / name, "instruction") for name in (TRAIN_FILE, TEST_FILE)
    )
    stored = [
        dataset_of(lambda part=part: part, "instruction", work_dir=tmp_path / "rows", split=name)
        for part, name in ((train, "train"), (test, "test"))
    ]
    assert [len(part) for part in stored] == [18, 6]

    result = finetune(CONFIG, *stored, output_dir=tmp_path / "model", on_log=lambda _: None)
    sft = result.phases[-1]
    assert sft.losses[-1][1] < sft.losses[0][1]

    asked = next(iter(test)).messages[:-1]
    answer = Answer()
    engine = open_engine(result.folder)
    engine.start(asked, answer, max_new_tokens=120, temperature=0, top_p=1)
    assert answer.end() in {"stop", "length"}
    engine.close()
    assert "".join(answer.pieces) == written_by(load_finetuned(result.folder), asked)


def written_by(loaded: LoadedModel, messages: Sequence[Message]) -> str:
    """The likeliest words, without a server's engine."""
    prompt = loaded.tokenizer.apply_chat_template(
        [message.model_dump() for message in messages],
        add_generation_prompt=True,
        return_dict=True,
        return_tensors="pt",
    )
    ids = loaded.model.generate(
        **prompt, max_new_tokens=120, do_sample=False, pad_token_id=loaded.tokenizer.pad_token_id
    )
    text: str = loaded.tokenizer.decode(
        ids[0, prompt["input_ids"].shape[1] :], skip_special_tokens=True
    )
    return text
