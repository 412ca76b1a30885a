"""Retrieval from code bases: what the question means and says, and what it calls by its name."""

import re
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath

from rag_llm_system.application.code.category import CODE, CODE_TABLE
from rag_llm_system.application.code.context_lines import Surroundings
from rag_llm_system.application.code.named import Named, last_part, named_in
from rag_llm_system.application.preprocessing.categories import Category
from rag_llm_system.application.rag.answer import Retriever
from rag_llm_system.application.rag.budget import UNLIMITED, Budget
from rag_llm_system.application.rag.prompt_templates import is_code
from rag_llm_system.application.rag.reranking import RERANKED
from rag_llm_system.domain.answers import Context, ContextChunk
from rag_llm_system.domain.ports import Tracer, VectorStore
from rag_llm_system.domain.queries import Query

_DEFINITIONS = 4
"""Chunks that come first because they define what is named: half of eight, as who uses it belongs to the answer.

Of eight questions about this project that name something in it, what they name was first for 4 and found for 6; with
these chunks first for 6 and found for 8.
"""

_OF_TESTS = 0.85
"""What a test counts for beside the code it tests, where nobody asks for tests.

Of 25 questions about this project (1,400 files, 500 of them tests; MiniLM, chunks of 400 tokens) the right file was
first for 12 and among eight chunks for 18 without it; with 0.95 for 13 and 20, with 0.9, 0.85 and 0.7 for 14 and 20. Of
36 other questions about it 15, 16, 17, 17 and 17 were first. Less for documentation gained nothing.
"""

_MAX_PARSED_CHARS = 200_000
"""Of a longer file, imports and enclosing classes are not shown: it would be read anew for every question."""

_TEST_FOLDERS = frozenset({"test", "tests", "testing", "__tests__", "spec", "specs", "e2e"})
_TEST_NAME = re.compile(r"(?:test_.+|.+[_.-](?:test|tests|spec)|.+Tests?|conftest)", re.DOTALL)
_LIBRARY = re.compile(r"[A-Z]\w*\.js", re.ASCII)  # Node.js, Vue.js: no file
_ASKS_FOR_TESTS = re.compile(r"\b(?:un|in)?test(?:s|ed|ing)?\b|\bspecs?\b|\bfixtures?\b", re.I)


class CodeRetriever:
    """Finds code as ``retriever`` does, and ahead of it the chunks that define the names in the question.

    ``retriever`` searches the collections of ``table``. A question without a name in it costs no search more. Code of
    a chunk's file that it needs to be understood, its imports and the signatures around it, becomes its ``headings``.
    """

    def __init__(
        self,
        retriever: Retriever,
        store: VectorStore,
        tracer: Tracer,
        table: Mapping[str, Category] = CODE_TABLE,
    ) -> None:
        self._retriever = retriever
        self._store = store
        self._tracer = tracer
        self._files = table[CODE.name].cleaned_collection
        self._paths = _Paths(store, self._files)

    def retrieve(
        self, query: Query, k: int, *, self_query: bool = True, budget: Budget = UNLIMITED
    ) -> Context:
        """As ``ContextRetriever.retrieve``; a note tells which names nothing that was found has."""
        # as many as are reranked anyway: what is put in another order below comes from all of them
        context = self._retriever.retrieve(
            query, max(k, RERANKED), self_query=self_query, budget=budget
        )
        ranked = _code_first(query.text, context.chunks)
        timings = dict(context.timings_s)
        named, notes = named_in(query.text), list(context.notes)
        if named and ranked:
            started = time.perf_counter()
            defining = self._defining(query, named, context.index_version, budget)
            timings["symbols"] = time.perf_counter() - started
            notes += _unknown(named, [*defining, *ranked])
            ranked = _ahead(defining, ranked) if defining else ranked
        started = time.perf_counter()
        chunks = self._with_surroundings(ranked[:k])
        timings["surroundings"] = time.perf_counter() - started
        return context.model_copy(
            update={
                "chunks": [c.model_copy(update={"n": n}) for n, c in enumerate(chunks, start=1)],
                "notes": notes,
                "timings_s": timings,
            }
        )

    def _defining(
        self, query: Query, named: Named, index_version: str, budget: Budget
    ) -> list[ContextChunk]:
        """The best chunks of named files, and those that define what is named, best first."""
        wanted: dict[str, list[str]] = {}
        names = (*named.symbols, *named.perhaps)
        if names and "symbols" not in query.where:
            wanted["symbols"] = sorted({*names, *map(last_part, names)})
        if named.files and "source_file" not in query.where:
            wanted["source_file"] = self._paths.ending_in(named.files, index_version)
        found: dict[str, ContextChunk] = {}
        with self._tracer.span("symbols", inputs={"named": names, "files": named.files}) as span:
            for field, values in wanted.items():
                if values:
                    where = {**query.where, field: values}
                    there = self._retriever.retrieve(
                        Query(text=query.text, where=where),
                        _DEFINITIONS,
                        self_query=False,
                        budget=budget,
                    )
                    found |= {chunk.chunk_id: chunk for chunk in there.chunks}
            chosen = _best_defining(names, found.values())
            span.record(found=[f"{c.source_file}:{c.start_line} {c.symbol}" for c in chosen])
        return chosen

    def _with_surroundings(self, chunks: Sequence[ContextChunk]) -> list[ContextChunk]:
        wanted = sorted({chunk.document_id for chunk in chunks if is_code(chunk)})
        if not wanted:
            return list(chunks)
        texts = {
            record.id: str(record.payload["text"])
            for record in self._store.scan(
                self._files, where={"document_id": wanted}, fields=("text",)
            )
        }
        read: dict[str, Surroundings] = {}
        shown = []
        for chunk in chunks:
            text = texts.get(chunk.document_id, "")
            # an edited file may be there before its new chunks are
            fits = text[chunk.start : chunk.end] == chunk.content
            if fits and is_code(chunk) and len(text) <= _MAX_PARSED_CHARS:
                if chunk.document_id not in read:
                    read[chunk.document_id] = Surroundings(text, chunk.language)
                lines = read[chunk.document_id].of(chunk.start_line, chunk.end_line)
                chunk = chunk.model_copy(update={"headings": tuple(lines)})
            shown.append(chunk)
        return shown


class _Paths:
    """The paths of all files that are indexed, read again when the index has changed. Threads may share it."""

    def __init__(self, store: VectorStore, collection: str) -> None:
        self._store, self._collection = store, collection
        self._reading = threading.Lock()
        self._known: tuple[str, list[str]] = ("", [])

    def ending_in(self, names: Iterable[str], index_version: str) -> list[str]:
        """Those that are such a path, or end in it after a slash; sorted."""
        endings = tuple(f"/{name}" for name in names)
        with self._reading:
            is_new = not index_version or self._known[0] != index_version
            if is_new:
                self._read(index_version)
            paths = self._ending(endings)
            if not paths and not is_new:  # a file that was renamed leaves the version as it was
                self._read(index_version)
                paths = self._ending(endings)
        return paths

    def _read(self, index_version: str) -> None:
        found = self._store.scan(self._collection, fields=("title",))
        self._known = index_version, [str(one.payload["title"]) for one in found]

    def _ending(self, endings: tuple[str, ...]) -> list[str]:
        return sorted({path for path in self._known[1] if f"/{path}".endswith(endings)})


def is_test(path: str) -> bool:
    """Whether a file holds tests, as its name or one of its folders says."""
    *folders, name = PurePosixPath(path).parts or ("",)
    return not _TEST_FOLDERS.isdisjoint(folders) or bool(
        _TEST_NAME.fullmatch(name.partition(".")[0])
        or _TEST_NAME.fullmatch(PurePosixPath(name).stem)
    )


def _code_first(question: str, chunks: Sequence[ContextChunk]) -> list[ContextChunk]:
    if _ASKS_FOR_TESTS.search(question):
        return list(chunks)
    weighed = [
        chunk.model_copy(update={"relevance": chunk.relevance * _OF_TESTS})
        if is_test(chunk.source_file)
        else chunk
        for chunk in chunks
    ]
    return sorted(weighed, key=_order)


def _ahead(defining: Sequence[ContextChunk], ranked: Sequence[ContextChunk]) -> list[ContextChunk]:
    """Above the best of the others, in their own order."""
    lift = max(0.0, *(c.relevance for c in ranked)) - min(0.0, *(c.relevance for c in defining))
    first = {
        chunk.chunk_id: chunk.model_copy(update={"relevance": chunk.relevance + lift})
        for chunk in defining
    }
    others = [chunk for chunk in ranked if chunk.chunk_id not in first]
    return sorted([*first.values(), *others], key=_order)


def _best_defining(names: Sequence[str], found: Iterable[ContextChunk]) -> list[ContextChunk]:
    """What has the whole of a dotted name before what has its last part, code before its tests."""

    def key(chunk: ContextChunk) -> tuple[bool, bool, tuple[float, str]]:
        return not set(names) & set(chunk.symbols), is_test(chunk.source_file), _order(chunk)

    return sorted(found, key=key)[:_DEFINITIONS]


def _unknown(named: Named, found: Sequence[ContextChunk]) -> list[str]:
    """Notes on symbols and files that neither stand in what was found nor are defined by it."""
    words = {word for chunk in found for word in re.findall(r"\w+", chunk.content)}
    symbols = [name for name in named.symbols if last_part(name) not in words]
    files = [
        name
        for name in named.files
        if not _LIBRARY.fullmatch(name)
        and not any(f"/{chunk.source_file}".endswith(f"/{name}") for chunk in found)
    ]
    return [f"nothing that was found has `{name}`" for name in (*symbols, *files)]


def _order(chunk: ContextChunk) -> tuple[float, str]:
    return -chunk.relevance, chunk.chunk_id
