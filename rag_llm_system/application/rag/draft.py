"""An answer while it is written: what comes out of a writer goes in, what a reader may see comes out."""

from collections.abc import Sequence

from rag_llm_system.application.rag.citations import CitationGuard
from rag_llm_system.application.rag.links import LinkGuard
from rag_llm_system.application.rag.title_guard import TitleGuard
from rag_llm_system.domain.answers import ContextChunk
from rag_llm_system.domain.from_context import FromContext

NO_SOURCES = "No sources were found for this question, so there is no answer."
REFUSED = "The answer that was written cites none of its sources, so it is not shown."


class Draft:
    """Checks marked titles, then citations, then links; blanks around the answer are dropped.

    What :meth:`add` and :meth:`finish` give never has to be taken back, and joined it is ``text``, however the answer
    was cut into pieces. An answer of nothing is NO_SOURCES. With ``refuse_ungrounded`` nothing is given before the
    first citation, and an answer without one is REFUSED. ``is_empty`` and ``is_refused`` are known in the end.
    """

    def __init__(
        self,
        passages: Sequence[ContextChunk],
        fields: Sequence[FromContext] = (),
        *,
        refuse_ungrounded: bool = False,
    ) -> None:
        self.titles = TitleGuard(fields)
        self._citations = CitationGuard({passage.n for passage in passages})
        self._links = LinkGuard(passages)
        self._blanks = (_Blanks(), _Blanks(), _Blanks())
        self._waits_for_citation = refuse_ungrounded
        self._waiting: list[str] = []
        self._shown: list[str] = []
        self.is_refused = False
        self.is_empty = False

    @property
    def text(self) -> str:
        return "".join(self._shown)

    @property
    def cited(self) -> set[int]:
        return set() if self.is_refused else self._citations.cited

    def add(self, piece: str) -> str:
        """What may be shown after this piece."""
        return self._show(self._checked(self.titles.add(piece)))

    def finish(self) -> str:
        """What may be shown in the end; to be called once."""
        _, between, behind = self._blanks
        text = self._checked(self.titles.rest())
        text += behind.add(self._links.add(between.add(self._citations.rest())))
        text += behind.add(self._links.rest())
        shown = self._show(text)
        if self._waiting:
            self.is_refused = True
            self._waiting.clear()
            return self._show_as_it_is(REFUSED)
        if not self._shown:
            self.is_empty = True
            return self._show_as_it_is(NO_SOURCES)
        return shown

    def notes(self) -> list[str]:
        """For the reader: what was changed."""
        return [] if self.is_refused else [*self.titles.notes(), *self._links.notes()]

    def _checked(self, titled: str) -> str:
        before, between, behind = self._blanks
        return behind.add(self._links.add(between.add(self._citations.add(before.add(titled)))))

    def _show(self, text: str) -> str:
        if not text:
            return ""
        if self._waits_for_citation:
            self._waiting.append(text)
            if not self._citations.cited:
                return ""
            text = "".join(self._waiting)
            self._waiting.clear()
            self._waits_for_citation = False
        return self._show_as_it_is(text)

    def _show_as_it_is(self, text: str) -> str:
        self._shown.append(text)
        return text


class _Blanks:
    """Drops white space before a text, and holds back what may be white space behind it."""

    def __init__(self) -> None:
        self._held = ""
        self._has_begun = False

    def add(self, piece: str) -> str:
        text = self._held + piece if self._has_begun else piece.lstrip()
        certain = text.rstrip()
        self._held = text[len(certain) :]
        self._has_begun = self._has_begun or bool(certain)
        return certain
