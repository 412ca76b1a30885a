"""Who must play in a film that a question asks for."""

from collections.abc import Sequence

from rag_llm_system.application.rag.self_query import words
from rag_llm_system.application.rag.self_query.names import Mention, Names
from rag_llm_system.application.rag.self_query.sources import Named
from rag_llm_system.application.rag.self_query.text import Token

_BEFORE = words.word_set("with starring featuring stars star feature features has have")
_PLAYS = words.word_set(
    "act acted acts appear appeared appears make play played plays star starred starring stars"
)
_FILMS = words.word_set("film films flick flicks movie movies") | words.FILM_NOUNS
_NOT_PLAYING = frozenset({"about", "on", "without"})


def find_cast(tokens: Sequence[Token], question: str, known: Names) -> list[Named]:
    """In the order of the question; who must not play is left out."""
    groups: list[list[Mention]] = []
    for mention in known.mentions(tokens, question):
        end = groups[-1][-1].end if groups else 0
        if mention is None or mention.start < end:
            continue
        if not (mention.whole or tokens[mention.start].capital):
            continue
        if groups and _joined(tokens, end, mention.start):
            groups[-1].append(mention)
        else:
            groups.append([mention])
    return [
        Named(one.values, one.start, one.end)
        for group in groups
        if any(_plays(tokens, one) for one in group)
        for one in group
    ]


def _joined(tokens: Sequence[Token], end: int, start: int) -> bool:
    """By a comma, "and" or "or"."""
    between = [token.key for token in tokens[end:start]]
    if not between:
        return "," in tokens[end - 1].gap
    return between in (["and"], ["or"], ["&"], ["and", "with"])


def _plays(tokens: Sequence[Token], mention: Mention) -> bool:
    """``with`` Tom Hanks, Tom Hanks ``stars``, Tom Hanks ``movies``."""
    keys = [token.key for token in tokens]
    earlier, before = ["", "", *keys[: mention.start]][-2:]
    if before in _BEFORE:
        return earlier not in words.REFUSALS | {"but"}
    behind = [key for key in keys[mention.end : mention.end + 3] if key not in words.ADVERBS][:1]
    if before in _NOT_PLAYING:
        return False
    return not _PLAYS.isdisjoint(behind) or (mention.whole and not _FILMS.isdisjoint(behind))
