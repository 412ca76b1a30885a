"""Asks for passages in several forms, each of which names something that the passage is about."""

import re
from collections.abc import Callable, Iterator
from functools import cached_property
from itertools import islice

from rag_llm_system.application.dataset.offline_terms import names_in, tells
from rag_llm_system.application.dataset.overlap import normalised
from rag_llm_system.application.dataset.passages import Passage, sentence_ends
from rag_llm_system.application.dataset.prompts import GenerationPrompt
from rag_llm_system.domain.documents import Value, sha256_of

_MAX_TERMS = 3
_SENTENCE_CHARS = range(40, 221)
_FIRST_WORDS = 8
_MIN_TITLE_WORDS = 2
_MAX_SUBJECT_WORDS = 4
_MAX_HEADING_WORDS = 14
_ENOUGH_NAMES = 2

_DEFINITION = re.compile(
    r"(?P<subject>(?:An?|The)?\s*[\w-]+(?:\s+[\w-]+){0,3}?)\s+(?P<verb>is|are)\s+(?:an?|the|one)\s+\w+"
)
_NO_SUBJECTS = frozenset(
    {
        "all", "and", "another", "as", "both", "but", "each", "every", "for", "he", "here", "how", "i", "if",
        "in", "it", "my", "one", "our", "she", "so", "that", "their", "there", "these", "they", "this", "those",
        "what", "when", "where", "which", "who", "why", "you", "your",
    }
)  # fmt: skip
_NOUN_ENDS = (
    r"(?=\s*[.,;:!?)]|\s+(?:a|an|and|are|as|at|by|can|for|from|has|in|into|is|of|on|or|that|the|to|was|we|which|will|"
    r"with|you)\b)"
)
_NUMBERING = re.compile(
    r"^(?:[^\w\"'`(]+|(?:step|part|lesson|chapter)?\s*#?(?:\d+|[IVX]+(?=\.))(?:\\?\.\d+)*\\?[.):]*\s+)+",
    re.IGNORECASE,
)
_EMPHASIS = re.compile(r"\*+|`+|(?<!\w)_+|_+(?!\w)")
_GENERIC_HEADINGS = frozenset(
    {
        "abstract", "acknowledgements", "appendix", "background", "code", "conclusion", "conclusions",
        "contents", "demo", "final thoughts", "future work", "images", "implementation", "intro",
        "introduction", "key takeaways", "method", "next steps", "notes", "outro", "overview", "prerequisites",
        "references", "resources", "results", "sections", "setup", "summary", "table of contents", "takeaways",
        "the end", "tl dr", "wrapping up",
    }
)  # fmt: skip


class Asked(Value):
    """One passage of a prompt, the sentence before it where it goes on from there, and terms asked for before."""

    prompt: GenerationPrompt
    passage: Passage
    before: str = ""
    used: frozenset[str] = frozenset()

    @property
    def choice(self) -> int:
        """Varies the forms; the same for the same passage."""
        return int(sha256_of(f"{self.prompt.document_id}:{self.passage.text}")[:8], 16)

    @property
    def title(self) -> str:
        return spoken_title(self.prompt.title, self.prompt.author_full_name)

    @cached_property
    def terms(self) -> tuple[str, ...]:
        return _terms_of(self)


def questions(asked: Asked) -> Iterator[str]:
    """The telling forms first, in an order that varies from passage to passage; the last is nearly always new."""
    first = asked.choice % len(_FORMS)
    for form in (*_FORMS[first:], *_FORMS[:first], _from_its_first_words):
        yield from form(asked)


def _terms_of(asked: Asked) -> tuple[str, ...]:
    """What the passage names, in its order; where something was not asked for yet, only that."""
    text = asked.passage.text
    lowered = " ".join(text.casefold().split())
    names = [name for name in names_in(text) if len(name) > 1]
    repeated = [
        _as_written(term, asked.prompt.extract)
        for term in asked.prompt.terms
        if re.search(rf"\b{re.escape(term)}\b", lowered)
    ]
    ranked = [*(n for n in names if " " in n), *repeated, *(n for n in names if " " not in n)]
    apart: list[str] = []
    for term in ranked:
        words = set(term.casefold().split())
        if all(words.isdisjoint(other.casefold().split()) for other in apart):
            apart.append(term)
    new = [term for term in apart if term.casefold() not in asked.used]
    picked = islice(new or apart, _MAX_TERMS)
    return tuple(sorted(picked, key=lambda term: lowered.find(term.casefold())))


def spoken_title(title: str, author: str) -> str:
    """Without what page titles add: ``On Graphs - Jane Doe`` and ``On Graphs - by Jane Doe``."""
    name = re.escape(author.strip() or "-")
    short = re.sub(
        rf"\s+[-|\u2013\u2014]\s+(?:by\s+)?{name}\s*$|^{name}\s+[-|\u2013\u2014]\s+", "", title
    )
    return " ".join((short.strip() or title).split()).rstrip(" .")


def topic_of(asked: Asked) -> str:
    """A few words for what the passage is about."""
    if asked.terms:
        return _with_article(asked.terms[0], asked.passage.text)
    named = _heading(asked) or asked.title
    return f'"{named}"' if named else "this subject"


def _as_written(term: str, text: str) -> str:
    """A term is known in lower case; its capitals are those of a name, unless a sentence begins with it."""
    pattern = rf"\b{re.escape(term)}\b".replace("\\ ", r"\s+")
    for found in re.finditer(pattern, text, re.IGNORECASE):
        before = text[max(0, found.start() - 2) : found.start()].rstrip()[-1:]
        if before.isalnum() or before == ",":
            return " ".join(found[0].split())
    return term


def _with_article(term: str, text: str) -> str:
    """``the feature store`` where the text has the article, and no noun follows that it could belong to."""
    term_in_text = re.escape(term).replace("\\ ", r"\s+")
    found = re.search(rf"\b(an?|the)\s+[*_`]*{term_in_text}[*_`]*{_NOUN_ENDS}", text, re.IGNORECASE)
    return f"{found[1].lower()} {term}" if found else term


def _heading(asked: Asked) -> str:
    """That of the passage, without its number and marks; "" where it is none or only repeats title or author."""
    written = (asked.passage.heading or asked.prompt.heading).replace("\\", "")
    heading = _NUMBERING.sub("", _EMPHASIS.sub("", written)).strip(" :#-")
    known = {
        normalised(text)
        for text in (asked.prompt.title, asked.title, asked.prompt.author_full_name)
    }
    is_heading = 0 < len(heading.split()) <= _MAX_HEADING_WORDS
    return heading if is_heading and normalised(heading) not in known else ""


def _by_heading(asked: Asked) -> Iterator[str]:
    """Only the passage that a heading stands above is what the heading announces."""
    heading = _heading(asked)
    if not heading or asked.passage.ordinal or not asked.passage.heading:
        return
    generic = normalised(heading) in _GENERIC_HEADINGS
    if heading.endswith("?") and len(heading.split()) > _MIN_TITLE_WORDS:
        yield heading
    elif heading.casefold().startswith("how to ") and len(heading.split()) > _MAX_TERMS:
        yield f"How do you {heading[7:].rstrip('.!')}?"
    elif not generic and _tells_enough(heading):
        yield _vary(
            asked,
            (f'What do you write about "{heading}"?', f'Explain "{heading}" to your readers.'),
        )
    if asked.title:
        wording = (
            'What do you write in "{0}" about "{1}"?',
            'How does the section "{1}" of "{0}" begin?',
        )
        yield _vary(asked, wording[generic:]).format(asked.title, heading)


def _by_definition(asked: Asked) -> Iterator[str]:
    """``A chunk is a slice of the text`` tells what a chunk is."""
    found = _DEFINITION.match(" ".join(asked.passage.text.split()))
    if not found:
        return
    article, _, rest = found["subject"].partition(" ")
    subject = rest if article in {"A", "An", "The"} else found["subject"]
    words = subject.split()
    tells_what = any(tells(w.casefold()) for w in words) and words[0].casefold() not in _NO_SUBJECTS
    if len(words) > _MAX_SUBJECT_WORDS or not tells_what:
        return
    named = f"{article.lower()} {subject}" if subject == rest else subject
    named = (
        named if subject == rest or not words[0][1:].islower() else named[:1].lower() + named[1:]
    )
    yield _vary(asked, (f"What {found['verb']} {named}?", f"How do you define {named}?"))


def _by_terms(asked: Asked) -> Iterator[str]:
    terms = asked.terms
    named = [_with_article(term, asked.passage.text) for term in terms]
    if not terms or (len(terms) == 1 and " " not in terms[0] and not asked.title):
        return
    listed = " and ".join((", ".join(named[:-1]), named[-1])) if len(terms) > 1 else named[0]
    plain = (
        f"What do you say about {listed}?",
        f"Write a paragraph about {listed}.",
        f"Tell your readers about {listed}.",
        f"What should one know about {listed}?",
        f"How do you explain {listed}?",
    )
    within = (
        f'What do you write about {listed} in "{asked.title}"?',
        f'Write the paragraph of "{asked.title}" about {listed}.',
    )
    if len(terms) >= _ENOUGH_NAMES or " " in terms[0]:
        yield _vary(asked, plain)
    if asked.title:
        yield _vary(asked, within)


def _by_what_comes_before(asked: Asked) -> Iterator[str]:
    if len(asked.before) in _SENTENCE_CHARS:
        yield _vary(
            asked,
            (
                f'You write: "{asked.before}" How do you go on?',
                f'Continue after this sentence: "{asked.before}"',
                f'What follows in your text after "{asked.before}"',
            ),
        )


def _from_its_first_words(asked: Asked) -> Iterator[str]:
    words = asked.passage.text.split()[:_FIRST_WORDS]
    place = f' of "{asked.title}"' if asked.title else ""
    yield f'Write the paragraph{place} that begins with "{" ".join(words)}".'


_FORMS: tuple[Callable[[Asked], Iterator[str]], ...] = (
    _by_heading,
    _by_terms,
    _by_what_comes_before,
    _by_definition,
)


def last_sentence(text: str) -> str:
    ends = [0, *sentence_ends(text)]
    return " ".join(text[ends[-2] : ends[-1]].split()) if len(ends) > 1 else ""


def _tells_enough(heading: str) -> bool:
    """A single word names too little, and questions that differ in one word only are nearly the same."""
    words = heading.split()
    return len(words) > 1 and any(tells(word.casefold()) for word in words)


def _vary(asked: Asked, wordings: tuple[str, ...]) -> str:
    return wordings[asked.choice // len(_FORMS) % len(wordings)]
