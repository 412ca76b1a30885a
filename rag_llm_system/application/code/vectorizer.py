"""Code bases in the vector store: indexed by what changed, listed, and forgotten."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain

from rag_llm_system.application.code.category import CODE, CODE_TABLE
from rag_llm_system.application.code.project import Project
from rag_llm_system.application.forget import remove_from_index
from rag_llm_system.application.indexing import Indexer
from rag_llm_system.application.indexing.cleaned import LOOKUP_BATCH
from rag_llm_system.application.indexing.collections import own_collection
from rag_llm_system.application.preprocessing.categories import Category
from rag_llm_system.domain.code import CodeFile
from rag_llm_system.domain.documents import CleanedDocument, Value
from rag_llm_system.domain.ports import Embedder, VectorStore

OnFile = Callable[[int], None]


class CodeIndexReport(Value):
    """``files`` equals ``unchanged`` plus ``embedded_files`` plus ``empty`` ones, which have nothing to find.

    ``why`` counts the embedded files by reason, ``chunks`` are theirs; ``removed_files`` were indexed before and are
    not there any more. ``others`` are files of other code bases that were embedded too, as a new encoder can answer
    only when it has read all of them. ``collections`` has the size of each collection afterwards, all code bases
    together.
    """

    files: int = 0
    unchanged: int = 0
    embedded_files: int = 0
    empty: int = 0
    chunks: int = 0
    removed_files: int = 0
    others: int = 0
    why: Mapping[str, int] = {}
    collections: Mapping[str, int] = {}


class CodeBase(Value):
    """One that is indexed; ``root`` is its folder as a URI."""

    name: str
    id: str
    root: str
    files: int
    chunks: int


class CodeVectorizer:
    """The code bases of one vector store and one encoder, or its cache."""

    def __init__(
        self,
        store: VectorStore,
        embedder: Embedder,
        table: Mapping[str, Category] = CODE_TABLE,
    ) -> None:
        self._store = store
        self._embedder = embedder
        self._table = table
        self._category = table[CODE.name]

    def embed_and_store(
        self, files: Iterable[CodeFile], project: Project, on_file: OnFile = lambda _: None
    ) -> CodeIndexReport:
        """Make the index hold these files and no others of the code base; what has not changed is not embedded.

        ``on_file`` is told how many more files are done. A run that was killed is completed by the next one.
        """
        given = _Given(project)
        indexer = Indexer(self._store, self._embedder, self._table)
        cleaned = indexer.load_cleaned(given.cleaned(files), authors=[project.id])
        unsettled = indexer.unsettled(self._category)
        ours = sorted(unsettled & given.ids)
        on_file(given.files - len(ours))
        # to ask for nothing would read the whole collection once more
        records = indexer.embed_changed(self._stored(ours), on_file) if ours else iter(())
        whole = Indexer(self._store, self._embedder, self._table)
        if self._another_encoder_is_live():
            others = self._stored(sorted(unsettled - given.ids))
            records = chain(records, whole.embed_changed(others))
        loaded = indexer.load_chunks(records)
        embedded = indexer.report
        return CodeIndexReport(
            files=given.files,
            unchanged=len(given.ids) - embedded.embedded_documents,
            embedded_files=embedded.embedded_documents,
            empty=given.files - len(given.ids),
            chunks=embedded.embedded,
            removed_files=cleaned.gone,
            others=whole.report.embedded_documents,
            why=_with_moved(embedded.why, cleaned.why),
            collections={**cleaned.collections, **loaded.collections},
        )

    def forget(self, project_id: str) -> int:
        """Remove a code base from the index, by its id; how many files it had."""
        name, where = self._category.cleaned_collection, {"author_id": project_id}
        ids = [record.id for record in self._store.scan(name, where=where, fields=())]
        remove_from_index([(CODE.name, one) for one in ids], self._store, self._table)
        return len(ids)

    def _another_encoder_is_live(self) -> bool:
        own = own_collection(self._category, self._embedder, self._store)
        return self._store.aliases().get(self._category.chunk_collection, own) != own

    def _stored(self, ids: Sequence[str]) -> Iterator[CleanedDocument]:
        """Those that are in the index as they are there, which a code base is read into before it is embedded."""
        for start in range(0, len(ids), LOOKUP_BATCH):
            where = {"document_id": ids[start : start + LOOKUP_BATCH]}
            for record in self._store.scan(self._category.cleaned_collection, where=where):
                fields = {k: v for k, v in record.payload.items() if k != "document_id"}
                yield CleanedDocument.model_validate({**fields, "id": record.id})


def code_bases(store: VectorStore) -> list[CodeBase]:
    """All that are indexed, by name."""
    roots: dict[tuple[str, str], str] = {}
    files: Counter[tuple[str, str]] = Counter()
    fields = ("author_id", "author_full_name", "link", "title")
    for record in store.scan(CODE.cleaned_collection, fields=fields):
        payload = record.payload
        one = payload["author_full_name"], payload["author_id"]
        files[one] += 1
        # the path is written with other characters in the link, but with as many slashes
        roots[one] = payload["link"].rsplit("/", payload["title"].count("/") + 1)[0]
    live = store.aliases().get(CODE.chunk_collection)
    return [
        CodeBase(
            name=name,
            id=author,
            root=roots[name, author],
            files=count,
            chunks=store.count(live, where={"author_id": author, "window": 0}) if live else 0,
        )
        for (name, author), count in sorted(files.items())
    ]


class _Given:
    """What a code base has now, counted while it is read: one file in memory at a time."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self.files = 0
        self.ids: set[str] = set()

    def cleaned(self, files: Iterable[CodeFile]) -> Iterator[CleanedDocument]:
        for file in files:
            self.files += 1
            if document := self._project.cleaned(file):
                self.ids.add(document.id)
                yield document


def _with_moved(embedded: Mapping[str, int], cleaned: Mapping[str, int]) -> dict[str, int]:
    """A new file with the text of one that is gone was moved."""
    why = Counter(embedded)
    moved = min(why["new"], cleaned.get("moved", 0))
    why += Counter(moved=moved)
    why -= Counter(new=moved)
    return dict(sorted(why.items()))
