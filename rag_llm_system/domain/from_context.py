"""Fields of an answer that may hold only what is in the retrieved context, such as the title of a film in bold."""

from collections.abc import Mapping, Sequence
from typing import Annotated, AnyStr, Self

from pydantic import Field, model_validator

from rag_llm_system.domain.documents import Value
from rag_llm_system.domain.errors import DataError

MAX_VALUE_CHARS = 300
MAX_VALUES = 1000

Mark = Annotated[str, Field(min_length=1, max_length=16)]
Text = Annotated[str, Field(min_length=1, max_length=MAX_VALUE_CHARS, pattern=r"^[^\r\n]+$")]


class FromContext(Value):
    """What stands between ``open`` and ``close`` is one of ``values``; without values nothing may be opened.

    A value that has ``suffixes`` is followed by one of them right after the closing mark: ``**Alien** (1979)``.
    """

    name: str = Field("value", max_length=100)
    open: Mark
    close: Mark
    values: tuple[Text, ...] = Field((), max_length=MAX_VALUES)
    suffixes: Mapping[Text, tuple[Text, ...]] = Field(default_factory=dict, max_length=MAX_VALUES)

    @model_validator(mode="after")
    def _can_be_read_back(self) -> Self:
        for value in self.values:
            if not writable(value, self.open, self.close):
                raise ValueError(
                    f"value {value!r} would not end at its closing mark {self.close!r}"
                )
        for value, suffixes in self.suffixes.items():
            if value not in self.values:
                raise ValueError(f"suffixes of {value!r}, which is not among the values")
            if any(self.open in suffix for suffix in suffixes):
                raise ValueError(f"a suffix of {value!r} holds the opening mark {self.open!r}")
        return self

    @property
    def entries(self) -> tuple[str, ...]:
        """What may follow the opening mark: value, closing mark and suffix, each once."""
        written = (
            f"{value}{self.close}{suffix}"
            for value in self.values
            for suffix in self.suffixes.get(value) or ("",)
        )
        return tuple(dict.fromkeys(written))


def writable(value: str, opening: str, closing: str) -> bool:
    """Whether a reader who looks for the first closing mark after ``opening`` finds exactly ``value``."""
    return (
        bool(value.strip())
        and len(value) <= MAX_VALUE_CHARS
        and "\n" not in value
        and "\r" not in value
        and opening not in value
        and (value + closing).find(closing) == len(value)
    )


def entries_by_mark(fields: Sequence[FromContext]) -> dict[str, tuple[str, ...]]:
    """Opening mark to what may follow it.

    Raises DataError when a text could be read in two ways: one opening mark within another, one mark closed by two,
    or a suffix in which another field would open.
    """
    closing: dict[str, str] = {}
    entries: dict[str, tuple[str, ...]] = {}
    for field in fields:
        if closing.setdefault(field.open, field.close) != field.close:
            raise DataError(
                f"field {field.name!r}: {field.open!r} is closed by {field.close!r} here and by"
                f" {closing[field.open]!r} in another field; give it one closing mark"
            )
        entries[field.open] = (*entries.get(field.open, ()), *field.entries)
    for mark in entries:
        for other in entries:
            if mark != other and mark in other:
                raise DataError(f"opening mark {mark!r} is part of {other!r}; choose another mark")
    for field in fields:
        suffixes = [s for of_value in field.suffixes.values() for s in of_value]
        if any(mark in suffix for mark in entries for suffix in suffixes):
            raise DataError(f"field {field.name!r}: a suffix holds an opening mark; leave it out")
    return entries


def progress_after(progress: AnyStr, written: AnyStr, marks: Sequence[AnyStr]) -> AnyStr:
    """The longest end of ``progress`` + ``written`` that a mark begins with.

    ``progress`` is what this function gave for the text before; a mark that is complete is given whole.
    """
    text = progress + written
    longest = max(map(len, marks), default=0)
    return next(
        (
            text[at:]
            for at in range(max(0, len(text) - longest), len(text))
            if any(mark.startswith(text[at:]) for mark in marks)
        ),
        text[:0],
    )
