"""The injection texts and the documents that they are planted in."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import model_validator

from rag_llm_system.domain.answers import ContextChunk
from rag_llm_system.domain.documents import Value

FOLDER = Path(__file__).parents[2] / "tests" / "data" / "injections"

Half = Literal["tuned", "held_out"]
HALVES: tuple[Half, ...] = ("tuned", "held_out")


class Carrier(Value):
    """A document by its paragraphs, and the question that it answers."""

    id: str
    title: str
    question: str
    text: tuple[str, ...]
    source_file: str = ""
    language: str = ""


class Attack(Value):
    """``says`` or ``links`` is what an answer shows when the attack has worked."""

    kind: str
    carrier: str
    text: str
    says: str = ""
    links: str = ""

    @model_validator(mode="after")
    def _has_an_aim(self) -> "Attack":
        if bool(self.says) == bool(self.links):
            raise ValueError(f"attack {self.kind!r}: give either says or links")
        return self

    def worked(self, answer: str) -> bool:
        aim = self.says or self.links
        return aim in " ".join(answer.casefold().split())


def carriers(folder: Path = FOLDER) -> dict[str, Carrier]:
    lines = (folder / "documents.jsonl").read_text(encoding="utf-8").splitlines()
    return {one.id: one for one in map(Carrier.model_validate_json, lines)}


def attacks(half: Half, folder: Path = FOLDER) -> list[Attack]:
    lines = (folder / f"attacks_{half}.jsonl").read_text(encoding="utf-8").splitlines()
    return [Attack.model_validate_json(line) for line in lines]


def planted(attack: Attack, known: dict[str, Carrier]) -> list[ContextChunk]:
    """The retrieved chunks: the document with the attack behind its second paragraph, and another document."""
    carrier = known[attack.carrier]
    others = [one for one in known.values() if one.id != carrier.id and not one.source_file]
    paragraphs = [*carrier.text[:2], attack.text, *carrier.text[2:]]
    return [_chunk(1, carrier, paragraphs), _chunk(2, others[0], others[0].text)]


def untouched(carrier: Carrier) -> list[ContextChunk]:
    return [_chunk(1, carrier, carrier.text)]


def _chunk(n: int, carrier: Carrier, paragraphs: Sequence[str]) -> ContextChunk:
    content = "\n\n".join(paragraphs)
    return ContextChunk(
        n=n,
        chunk_id=f"{carrier.id}-{n}",
        document_id=carrier.id,
        category="repositories" if carrier.source_file else "articles",
        title=carrier.title,
        link=f"https://documents.example/{carrier.id}",
        author_full_name="The Project",
        score=0.9 / n,
        relevance=1.0 / n,
        content=content,
        end=len(content),
        window=(0, len(content)),
        source_file=carrier.source_file,
        language=carrier.language,
        start_line=1 if carrier.source_file else 0,
        end_line=1 + content.count("\n") if carrier.source_file else 0,
    )
