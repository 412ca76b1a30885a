"""Who must have written, or must not have written, what a question asks for.

A name is an author only where the question says so: "posts by Ada", "Ada's articles", "what does Ada say".
"""

from collections.abc import Iterator, Sequence

from rag_llm_system.application.rag.self_query.author_cues import LIST, Cues, Found
from rag_llm_system.application.rag.self_query.names import Mention
from rag_llm_system.application.rag.self_query.text import Token
from rag_llm_system.application.rag.self_query.vocabulary import Vocabulary


def find_authors(tokens: Sequence[Token], question: str, known: Vocabulary) -> list[Found]:
    """In the order of the question."""
    found: list[Found] = []
    for group in _groups(tokens, known.authors.mentions(tokens, question)):
        cues = Cues(tokens, group, known.platform_words)
        one = cues.author()
        if one is None and found:
            one = cues.refused()
        if one is not None:
            found.append(one)
    return found


def _groups(tokens: Sequence[Token], mentions: Sequence[Mention | None]) -> Iterator[list[Mention]]:
    """Mentions that a comma, "and" or "or" joins: what is said of one is said of all."""
    position = 0
    while position < len(tokens):
        group: list[Mention] = []
        at: int | None = position
        while at is not None and at < len(tokens) and (mention := mentions[at]) is not None:
            group.append(mention)
            at = _next_in_list(tokens, mention.end)
        if group:
            yield group
        position = group[-1].end if group else position + 1


def _next_in_list(tokens: Sequence[Token], end: int) -> int | None:
    """Where the next name of a list may begin; None when the list ends here."""
    comma = "," in tokens[end - 1].gap
    joined = end < len(tokens) and tokens[end].key in LIST
    if not comma and not joined:
        return None
    at = end + joined
    return at + (joined and at < len(tokens) and tokens[at].key in {"by", "from"})
