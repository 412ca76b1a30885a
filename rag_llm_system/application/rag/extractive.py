"""An answer without a language model: the sentences of the sources that say most about the question."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from threading import Lock

import numpy as np

from rag_llm_system.application.preprocessing.chunking_data_handlers import windows
from rag_llm_system.application.rag.diversity import mmr
from rag_llm_system.application.rag.quotable import Sentence
from rag_llm_system.application.rag.quotes import Quote, quotes, shown
from rag_llm_system.application.rag.wording import Wording, asks_for_code
from rag_llm_system.domain.answers import ContextChunk
from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.domain.ports import Embedder

PREAMBLE = "From the sources, word for word:"
"""Tells the reader that nothing here was written by a model."""

_QUOTES = 4
_EMBEDDED = 12
"""Candidates that the encoder reads, the best by their words: it takes most of the time of writing. On 30 questions
about 76 real articles 18 answers had the phrase that was looked for, as many as with 16, and one more than with 32."""

_READ_TOKENS = 128
"""Of each candidate: the rest of a long sentence seldom decides what it is about. With 64 the beginning of a file of
code looked like the remark that stands there."""

_KEPT = 20_000
"""Sentences whose vectors are kept, 30 MB with MiniLM: questions find the same passages again and again."""

_KEEP_SHARE = 0.7
"""Of the best candidate's score: what falls below says less about the question than it distracts."""

_DIVERSITY = 0.3
"""Of maximal marginal relevance (see ``diversity``): at 0 an answer may say the same in other words."""


class ExtractiveWriter:
    """Quotes the few sentences that answer best, each with its source, in the order of the sources."""

    model_id = "extractive"

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._kept: OrderedDict[str, Vectors] = OrderedDict()
        self._keeping = Lock()

    def write(self, question: str, passages: Sequence[ContextChunk]) -> Iterator[str]:
        """Pieces of the answer; nothing when no source has a quotable sentence."""
        found = quotes(passages, with_code=asks_for_code(question))
        if not found:
            return
        yield PREAMBLE
        for quote, together in _in_order(self._chosen(question, found)):
            yield f"\n{shown(quote.n, together, quote.language)}"

    def _chosen(self, question: str, found: Sequence[Quote]) -> list[Quote]:
        """The best that say something new, none twice."""
        wording = Wording(question, found)
        by_words = np.array([wording.score(quote) for quote in found])
        read = np.argsort(-by_words, kind="stable")[:_EMBEDDED]
        candidates = [found[i] for i in read]
        vectors = self._vectors([question, *(c.text for c in candidates)]).astype(np.float64)
        scores = vectors[1:] @ vectors[0] + by_words[read]
        order = mmr(scores, vectors[1:] @ vectors[1:].T, diversity=_DIVERSITY, limit=len(read))
        chosen: list[Quote] = []
        for i in order:
            quote = candidates[i]
            if scores[i] >= _KEEP_SHARE * scores.max() and not any(map(quote.repeats, chosen)):
                chosen.append(quote)
            if len(chosen) == _QUOTES:
                break
        # a remark may have been chosen before the code that it stands in
        return [one for one in chosen if not any(one.repeats(o) for o in chosen if o is not one)]

    def _vectors(self, texts: Sequence[str]) -> Vectors:
        """One row for each text; those that are not kept from earlier questions are computed together."""
        with self._keeping:
            known = {text: self._kept[text] for text in texts if text in self._kept}
        new = [text for text in dict.fromkeys(texts) if text not in known]
        if new:
            computed = self._embedder.embed([self._readable(text) for text in new])
            known |= dict(zip(new, computed, strict=True))
        with self._keeping:
            for text in texts:
                self._kept[text] = known[text]
                self._kept.move_to_end(text)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return np.stack([known[text] for text in texts])

    def _readable(self, text: str) -> str:
        """The beginning of a text; no more than the encoder can read."""
        limit = min(_READ_TOKENS, self._embedder.max_tokens)
        start, end = windows(text, limit, 0, self._embedder.token_spans)[0]
        return text[start:end]


def _in_order(chosen: Sequence[Quote]) -> Iterator[tuple[Quote, list[Sentence]]]:
    """By source and place; neighbours in one paragraph are quoted together."""
    merged: list[tuple[Quote, list[Sentence]]] = []
    for quote in sorted(chosen, key=lambda quote: (quote.n, quote.first)):
        if merged and quote.continues(merged[-1][0]):
            merged[-1] = (quote, [*merged[-1][1], *quote.sentences])
        else:
            merged.append((quote, list(quote.sentences)))
    yield from merged
