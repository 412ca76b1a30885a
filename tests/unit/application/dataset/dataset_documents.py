"""Small cleaned documents for the tests of generation: with sections, a list and code, or long ones."""

from itertools import islice, product
from typing import Any

from rag_llm_system.domain.documents import CleanedDocument

OPENING = (
    "Every query meets two questions, which text is near and which text is right."
    " We answer the first with vectors. The second needs a reader."
)
SECTION = (
    "A reranker reads the question and the text together, which a vector never does."
    " That is slow, so it reads only the best."
)
MORE = (
    "Measure before you add one. On short texts the vectors alone are often as good,"
    " and they cost a hundredth of the time."
)
CODE = "```python\ndef rerank(found):\n    return sorted(found)\n```"
TEXT = f"{OPENING}\n\n## Reranking\n\n{SECTION}\n\n{MORE}\n\n- fast\n- slow\n\n{CODE}\n"


def cleaned_document(name: str = "one", text: str = TEXT, **more: Any) -> CleanedDocument:
    fields = {
        "category": "articles",
        "platform": "custom_article",
        "link": f"https://example.org/{name}",
        "title": "On Retrieval",
        "author_id": "team",
        "author_full_name": "The Team",
        "fingerprint": "f",
        **more,
    }
    return CleanedDocument(id=name, text=text, **fields)


def long_text(sections: int, *, paragraphs: int = 3) -> str:
    """Sections of about 900 characters, each on another subject."""
    subjects = ("Vector Stores", "Word Weights", "Token Windows", "Page Layouts", "Graph Walks")
    parts = []
    for number in range(sections):
        subject = f"{subjects[number % len(subjects)]} {number}"
        parts.append(f"## {subject}")
        parts += [
            f"Paragraph {n} of {subject} says that {subject} must be measured before anybody trusts them, and it gives "
            f"reason number {number * 10 + n} for that. Whoever reads about {subject} learns what they cost in memory "
            "and in time, and when they are better left alone."
            for n in range(paragraphs)
        ]
    return "\n\n".join(parts)


def long_text_of_different_words(paragraphs: int) -> str:
    """Paragraphs of 24 words each, no word in two of them; they mean nothing."""
    words = ("".join(parts) for parts in product("bdfgklmnprst", "aeiou", "lmnrst", "aeiou"))
    return "\n\n".join(" ".join(islice(words, 24)).capitalize() + "." for _ in range(paragraphs))
