"""What Hypothesis makes data warehouses of, and what it lets happen to them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.unit.application.indexing.model_warehouse import (
    AUTHORS,
    ENCODERS,
    PARAGRAPHS,
    TABLES,
    Entry,
)
from tests.unit.application.indexing.watched_store import Death


@dataclass(frozen=True)
class Add:
    entry: Entry


@dataclass(frozen=True)
class Change:
    """An edit, another link, category or author; ``which`` document, modulo how many there are."""

    which: int
    fields: Mapping[str, Any]


@dataclass(frozen=True)
class Extend:
    """A paragraph more: the points of the first chunks keep their ids."""

    which: int
    paragraph: int


@dataclass(frozen=True)
class Remove:
    """From the data warehouse, or ``forgotten``: from everywhere at once."""

    which: int
    forgotten: bool


@dataclass(frozen=True)
class Round:
    """What happens before a run, what it is run with (None: what it was before), and where it dies."""

    changes: Sequence[Add | Change | Extend | Remove]
    table_number: int | None
    encoder_number: int | None
    death: Death | None


CATEGORY_NAMES = ("articles", "posts", "repositories")
LINKS = tuple(f"http://site.example/{number}" for number in range(6))

_some = st.lists(st.sampled_from(range(len(PARAGRAPHS))), min_size=2, max_size=6)
paragraphs = st.one_of(_some, _some, st.just([])).map(tuple)
authors = st.sampled_from(range(len(AUTHORS)))
entries = st.builds(
    Entry,
    category=st.sampled_from(CATEGORY_NAMES),
    link=st.sampled_from(LINKS),
    paragraphs=paragraphs,
    author=authors,
)
# distinct by what identifies a document
warehouses = st.lists(
    entries, min_size=2, max_size=6, unique_by=lambda entry: (entry.category, entry.link)
)

_which = st.integers(min_value=0, max_value=9)
_fields = st.one_of(
    st.fixed_dictionaries({"paragraphs": paragraphs}),
    st.fixed_dictionaries({"link": st.sampled_from(LINKS)}),
    st.fixed_dictionaries({"category": st.sampled_from(CATEGORY_NAMES)}),
    st.fixed_dictionaries({"title": st.sampled_from(["A title", "Another title"])}),
    st.fixed_dictionaries({"author": authors}),
)
_changes = st.one_of(
    st.builds(Add, entries),
    st.builds(Change, _which, _fields),
    st.builds(Change, _which, _fields),  # as often as the others together
    st.builds(Extend, _which, st.sampled_from(range(len(PARAGRAPHS)))),
    st.builds(Remove, _which, st.booleans()),
)
_deaths = st.builds(
    Death,
    call=st.integers(min_value=1, max_value=20),
    moment=st.sampled_from(["before", "half way", "after"]),
)
_same = st.none()
rounds = st.builds(
    Round,
    changes=st.lists(_changes, max_size=4),
    table_number=st.one_of(_same, _same, st.sampled_from(range(len(TABLES)))),
    encoder_number=st.one_of(_same, _same, st.sampled_from(range(len(ENCODERS)))),
    death=st.one_of(_same, _deaths),
)
