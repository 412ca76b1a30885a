"""What a run must report, told from the documents alone: before, and now."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from rag_llm_system.domain.documents import CleanedDocument
from tests.unit.application.indexing.model_warehouse import Entry, Settings, cleaned_entry


@dataclass(frozen=True)
class Indexed:
    """A document as a completed run left it."""

    entry: Entry
    settings: Settings

    @property
    def cleaned(self) -> CleanedDocument:
        found = cleaned_entry(self.entry, self.settings.table_number)
        assert found is not None
        return found

    @property
    def source(self) -> tuple[object, ...]:
        return (self.entry.title, self.entry.paragraphs)

    @property
    def cleaner(self) -> tuple[object, ...]:
        category = self.settings.table[self.entry.category]
        return (category.clean, category.version)

    @property
    def cut(self) -> tuple[object, ...]:
        category = self.settings.table[self.entry.category]
        return (category.chunk, category.version, category.chunk_size)

    @property
    def record(self) -> object:
        return self.cleaned.model_dump(exclude={"fingerprint"})


State = Mapping[str, Indexed]
"""By document id."""


def why_cleaned(before: State, now: State) -> dict[str, int]:
    why = Counter(
        reason for one, new in now.items() if (reason := _why_cleaned(before.get(one), new))
    )
    appeared = Counter(now[one].cleaned.text for one in now.keys() - before.keys())
    vanished = Counter(before[one].cleaned.text for one in before.keys() - now.keys())
    moved = (appeared & vanished).total()
    return dict(+(why + Counter(moved=moved) - Counter(new=moved)))


def _why_cleaned(before: Indexed | None, now: Indexed) -> str:
    if before is None:
        return "new"
    if before.source != now.source:
        return "edited"
    if before.cleaner != now.cleaner:
        return "cleaner changed"
    return "" if before.record == now.record else "edited"


def why_embedded(held: State, now: State, *, another_is_live: bool) -> dict[str, int]:
    """``held`` is what this encoder's collections had."""
    absent = "another encoder" if another_is_live else "new"
    reasons = (_why_embedded(held.get(one), new, absent) for one, new in now.items())
    return dict(Counter(reason for reason in reasons if reason))


def _why_embedded(held: Indexed | None, now: Indexed, absent: str) -> str:
    if held is None:
        return absent
    if held.record != now.record:
        return "edited"
    return "" if held.cut == now.cut else "chunk settings changed"
