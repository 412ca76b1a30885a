"""After any sequence of changes, settings and deaths, a completed run leaves what a build from scratch gives."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from rag_llm_system.application.forget import remove_from_index
from rag_llm_system.application.indexing import EmbedReport, LoadReport
from rag_llm_system.application.indexing.collections import chunk_collection_of
from rag_llm_system.domain.documents import CleanedDocument
from tests.unit.application.indexing.expected_reports import Indexed, why_cleaned, why_embedded
from tests.unit.application.indexing.model_warehouse import (
    ENCODERS,
    Entry,
    Settings,
    Version,
    answering,
    built_from_scratch,
    cleaned_entries,
    run,
    version,
)
from tests.unit.application.indexing.strategies import (
    Add,
    Change,
    Extend,
    Remove,
    Round,
    rounds,
    warehouses,
)
from tests.unit.application.indexing.watched_store import Death, Killed, WatchedStore

QUICK = hypothesis_settings(
    max_examples=60,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


class Life:
    """A data warehouse, the settings and the index that follows them, from run to run."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.store = WatchedStore(self.everything_is_found)
        self.settings = Settings()
        self.entries = dict(enumerate(entries))
        self.last_key = len(entries)
        # of each document that was found after a completed run, what it may be found as now
        self.versions: dict[int, list[Version]] = {}
        # as completed runs left them; None: a run died since
        self.cleaned: dict[str, Indexed] | None = {}
        self.held: dict[int, dict[str, Indexed] | None] = {n: {} for n in range(len(ENCODERS))}
        self.live: int | None = None

    def go_through(self, round_: Round) -> None:
        for change in round_.changes:
            self.apply(change)
        table, encoder = round_.table_number, round_.encoder_number
        self.settings = Settings(
            self.settings.table_number if table is None else table,
            self.settings.encoder_number if encoder is None else encoder,
        )
        if round_.death:
            self.run_that_dies(round_.death)
        else:
            self.run_to_the_end()

    def apply(self, change: Add | Change | Extend | Remove) -> None:
        if isinstance(change, Add):
            self.last_key += 1
            self.put(self.last_key, change.entry)
        elif self.entries:
            keys = sorted(self.entries)
            self.apply_to(keys[change.which % len(keys)], change)

    def apply_to(self, key: int, change: Change | Extend | Remove) -> None:
        entry = self.entries[key]
        match change:
            case Change():
                self.put(key, replace(entry, **change.fields))
            case Extend():
                self.put(key, replace(entry, paragraphs=(*entry.paragraphs, change.paragraph)))
            case Remove():
                del self.entries[key]
                self.versions.pop(key, None)
                if change.forgotten:
                    self.forget(entry.category, entry.raw.id)

    def put(self, key: int, entry: Entry) -> None:
        """Unless another document is there, or was: what takes its place would be an edit of it."""
        others = {one.raw.id for other, one in self.entries.items() if other != key}
        found = {
            one.document_id
            for other, versions in self.versions.items()
            for one in versions
            if other != key
        }
        if entry.raw.id not in others | found:
            self.entries[key] = entry

    def run_that_dies(self, death: Death) -> None:
        """Where the run needs fewer calls than that, it completes."""
        self.note_versions()
        self.store.start(death)
        try:
            run(self.store, self.documents(), self.settings)
        except Killed:
            self.cleaned = self.held[self.settings.encoder_number] = None
        else:
            self.completed()

    def run_to_the_end(self) -> None:
        self.note_versions()
        state, stored = self.state(), self.stored_points()
        known, held = self.cleaned, self.held[self.settings.encoder_number]
        another_is_live = self.live not in {None, self.settings.encoder_number}
        self.store.start()
        loaded, embedded, written = run(self.store, self.documents(), self.settings)

        self.counts_add_up(loaded, embedded, written)
        assert written.removed == len(stored - self.stored_points())
        if known is not None:
            assert loaded.why == why_cleaned(known, state)
            assert loaded.gone == loaded.removed == len(known.keys() - state.keys())
            if held is not None:
                assert embedded.why == why_embedded(held, state, another_is_live=another_is_live)
                assert written.gone == len(held.keys() - state.keys())
                assert written.switched == another_is_live
        self.completed()

    def forget(self, category: str, document_id: str) -> None:
        self.store.start()
        remove_from_index([(category, document_id)], self.store, self.settings.table)
        for indexed in (self.cleaned, *self.held.values()):
            (indexed or {}).pop(document_id, None)
        for name in self.store.collections():
            assert not list(self.store.scan(name, where={"document_id": document_id}))

    def counts_add_up(self, loaded: LoadReport, embedded: EmbedReport, written: LoadReport) -> None:
        documents = len(self.documents())
        assert loaded.given == loaded.written + loaded.unchanged == documents
        assert sum(loaded.why.values()) == loaded.written
        assert embedded.embedded_documents + embedded.unchanged_documents == documents
        assert embedded.documents == documents
        assert sum(embedded.why.values()) == embedded.embedded_documents
        assert written.given == written.written == embedded.windows
        assert written.waiting == 0
        assert sum(written.collections.values()) == len(self.stored_points())

    def completed(self) -> None:
        """The index is that of a build from scratch, and the next run writes nothing."""
        scratch = built_from_scratch(self.entries.values(), self.settings)
        assert answering(self.store) == answering(scratch)
        self.versions = {
            key: [found]
            for key, entry in self.entries.items()
            if (found := version(entry, self.settings))
        }
        self.cleaned = self.state()
        self.held[self.settings.encoder_number] = self.state()
        self.live = self.settings.encoder_number if self.store.aliases() else None
        self.everything_is_found()
        self.store.start()
        run(self.store, self.documents(), self.settings)
        assert self.store.writes == []

    def everything_is_found(self) -> None:
        """What was found before is found now, old or new and never half, in this process and in others."""
        aliases = self.store.aliases()
        for ids_of in (self.store.ids, self.store.published_ids):
            seen = {name: ids_of(name) for name in aliases}
            for key, versions in self.versions.items():
                whole = [one for one in versions if one.points <= seen.get(one.collection, set())]
                assert whole, f"{self.entries[key]} is not found by {ids_of.__name__}"

    def note_versions(self) -> None:
        """From now on a document may be found as it is now, too."""
        for key, versions in list(self.versions.items()):
            found = version(self.entries[key], self.settings)
            if found is None:  # nothing is left of it to index
                del self.versions[key]
            elif found not in versions:
                versions.append(found)

    def state(self) -> dict[str, Indexed]:
        indexed = (Indexed(entry, self.settings) for entry in self.entries.values())
        return {one.entry.raw.id: one for one in indexed if version(one.entry, self.settings)}

    def stored_points(self) -> frozenset[str]:
        """In the collections of the encoder in use."""
        names = [
            chunk_collection_of(c, self.settings.encoder) for c in self.settings.table.values()
        ]
        return frozenset().union(*map(self.store.ids, names))

    def documents(self) -> list[CleanedDocument]:
        return cleaned_entries(self.entries.values(), self.settings)


@QUICK
@given(entries=warehouses, rounds=st.lists(rounds, min_size=2, max_size=6))
def test_an_index_after_any_sequence_of_changes_equals_one_built_from_scratch(
    entries: list[Entry], rounds: list[Round]
) -> None:
    life = Life(entries)
    life.run_to_the_end()
    for round_ in rounds:
        life.go_through(round_)
    life.run_to_the_end()
