"""Whether texts are source code, and in which programming language."""

from collections import Counter
from collections.abc import Sequence

from rag_llm_system.application.preprocessing.code_boundaries import GRAMMARS, outline_of

_SAMPLE = 50
_READ_CHARS = 2000
"""Of each text: recovery from errors takes time that grows with the square of the length."""

# any words are commands to a shell, and without an opening tag all of a text is PHP's own
_TELL_NOTHING = frozenset({"bash", "shell", "php"})


def code_language(texts: Sequence[str]) -> str:
    """The language in which most of the texts are definitions of classes or functions; "" when they are none, as prose.

    A sample at even distances decides. Of languages that look alike, the one that reads most of them wins.
    """
    step = max(1, len(texts) // _SAMPLE)
    sample = [text[:_READ_CHARS] for text in texts[::step]]
    defining = Counter(
        language
        for text in sample
        for language in GRAMMARS.keys() - _TELL_NOTHING
        if _defines(text, language)
    )
    # by name where they read equally many
    language, count = max(sorted(defining.items()), key=lambda found: found[1], default=("", 0))
    return language if 2 * count > len(sample) else ""


def _defines(text: str, language: str) -> bool:
    """Whether most lines are those of definitions: prose may quote some, as an answer to a programmer does."""
    outline = outline_of(text, language)
    lines = {
        line
        for block in (outline.blocks if outline else ())
        if block.name
        for line in range(block.first, block.last + 1)
    }
    return 2 * len(lines) > text.rstrip().count("\n") + 1
