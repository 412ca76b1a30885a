"""What a run did to the index, and why."""

from collections.abc import Mapping

from rag_llm_system.domain.documents import Value


class EmbedReport(Value):
    """Of the embedding. ``documents`` equals ``embedded_documents`` plus ``unchanged_documents``.

    ``why`` counts the embedded documents by reason; ``embedded`` are chunks, ``windows`` the vectors they needed.
    """

    documents: int = 0
    embedded_documents: int = 0
    unchanged_documents: int = 0
    embedded: int = 0
    windows: int = 0
    why: Mapping[str, int] = {}


class LoadReport(Value):
    """Of a load into the store. ``given`` equals ``written`` plus ``unchanged``, in records.

    ``removed`` counts records that had become stale, ``gone`` the documents among them that are no longer in the data
    warehouse; ``why`` counts the written documents by reason. ``collections`` has the size of each collection
    afterwards, ``switched`` says that the index of another encoder went live, ``waiting`` how many documents it still
    lacks.
    """

    collections: Mapping[str, int] = {}
    given: int = 0
    written: int = 0
    unchanged: int = 0
    removed: int = 0
    gone: int = 0
    why: Mapping[str, int] = {}
    switched: bool = False
    waiting: int = 0


def reasons(why: Mapping[str, int]) -> str:
    """``12 edited, 3 new`` for a line of output; "" when there are none."""
    return ", ".join(f"{count} {reason}" for reason, count in sorted(why.items()) if count)
