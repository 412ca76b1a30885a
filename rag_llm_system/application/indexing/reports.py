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


class Candidate(Value):
    """How a change that is not accepted yet differs from what is live.

    ``beside``: live collection to the copy of it that was changed; ``in_place``: the live collections that were changed
    themselves; ``pointed``: alias to what else it shall stand for, None for nothing.
    """

    beside: Mapping[str, str] = {}
    in_place: tuple[str, ...] = ()
    pointed: Mapping[str, str | None] = {}

    @property
    def changes_nothing(self) -> bool:
        return not (self.beside or self.in_place or self.pointed)


class LoadReport(Value):
    """Of a load into the store. ``given`` equals ``written`` plus ``unchanged``, in records.

    ``removed`` counts records that had become stale, ``gone`` the documents among them that are no longer in the data
    warehouse; ``why`` counts the written documents by reason. ``collections`` has the size of each collection
    afterwards, ``switched`` says that the index of another encoder went live, ``waiting`` how many documents it still
    lacks. ``reweighed`` counts the chunks whose words got other weights, as the mean length moved. ``candidate`` is
    what is not live before it was accepted.
    """

    collections: Mapping[str, int] = {}
    given: int = 0
    written: int = 0
    unchanged: int = 0
    removed: int = 0
    gone: int = 0
    why: Mapping[str, int] = {}
    reweighed: int = 0
    switched: bool = False
    waiting: int = 0
    candidate: Candidate = Candidate()


def reasons(why: Mapping[str, int]) -> str:
    """``12 edited, 3 new`` for a line of output; "" when there are none."""
    return ", ".join(f"{count} {reason}" for reason, count in sorted(why.items()) if count)
