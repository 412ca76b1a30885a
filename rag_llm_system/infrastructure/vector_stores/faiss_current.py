"""The newest view of a FAISS collection, shared by the threads of a process."""

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Lock

from rag_llm_system.infrastructure.vector_stores.faiss_graph import load_graph
from rag_llm_system.infrastructure.vector_stores.faiss_segment import Segment
from rag_llm_system.infrastructure.vector_stores.faiss_tables import Graph, Snapshot
from rag_llm_system.infrastructure.vector_stores.faiss_view import View, caught_up, view_of


class CurrentView:
    """Follows the tables. A new graph is loaded beside the view in use, so that no search waits for it."""

    def __init__(self, graph_file: Path) -> None:
        self._file = graph_file
        self._lock = Lock()
        self._view: View | None = None
        self._wanted = Graph()  # asked for last, even in vain: a damaged file is not read again
        self._coming: Future[Segment | None] | None = None

    def at(self, snapshot: Snapshot) -> View | None:
        """The view of the state that the snapshot shows; None when a later one is there already."""
        view = self._view
        if view is None or view.state < snapshot.state or view.graph != snapshot.graph:
            with self._lock:
                view = self._view = self._advanced(snapshot)
        return view if view.state == snapshot.state else None

    def graph(self, known: Graph) -> Segment | None:
        """That graph, from memory or from its file."""
        view = self._view
        return view.base if view and view.graph == known else load_graph(self._file, known)

    def offer(self, known: Graph, graph: Segment) -> None:
        """Spare this process the loading of a graph that it has made itself."""
        with self._lock:
            if self._view is not None:
                self._wanted, self._coming = known, Future()
                self._coming.set_result(graph)

    def close(self) -> None:
        self._view = self._coming = None

    def _advanced(self, snapshot: Snapshot) -> View:
        view = self._view
        if view is None:
            self._wanted = snapshot.graph
            return view_of(snapshot, load_graph(self._file, snapshot.graph))
        if snapshot.state < view.state:
            return view
        if view.graph != snapshot.graph:
            if self._wanted != snapshot.graph:
                self._wanted = snapshot.graph
                self._coming = self._started(snapshot.graph)
            if self._coming is not None and self._coming.done():
                coming, self._coming = self._coming, None
                base = coming.result()
                if base is not None or not snapshot.graph.digest:
                    return view_of(snapshot, base)
        return view if view.state == snapshot.state else caught_up(view, snapshot)

    def _started(self, known: Graph) -> Future[Segment | None]:
        thread = ThreadPoolExecutor(1, thread_name_prefix="faiss-graph")
        loading = thread.submit(load_graph, self._file, known)
        thread.shutdown(wait=False)  # it ends when it has loaded
        return loading
