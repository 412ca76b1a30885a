"""What decides a document's records, stage by stage: comparing two fingerprints tells why one must be made anew.

A cleaned document carries ``source.cleaner.words.record``: what was crawled, what cleaned it, the text that gave, and
all of the cleaned document. Its points carry ``record.chunks``. The encoder is no part of them: each encoder has
collections of its own.
"""

import hashlib
import json
from typing import Literal

Reason = Literal[
    "new",
    "edited",
    "moved",
    "cleaner changed",
    "chunk settings changed",
    "another encoder",
    "incomplete",
]
"""Why a document was written: ``moved`` is a new link with the text of a removed one, ``incomplete`` is what a killed
run left."""

_HEX_DIGITS = 16  # 64 bits: among a billion texts a collision has a chance of 3 in 100


def digest(*parts: object) -> str:
    """Of JSON values, mappings in any order."""
    written = json.dumps(parts, sort_keys=True, ensure_ascii=False, default=dict)
    return hashlib.sha256(written.encode("utf-8", "surrogatepass")).hexdigest()[:_HEX_DIGITS]


def cleaned_fingerprint(*, source: str, cleaner: str, words: str, record: str) -> str:
    return f"{source}.{cleaner}.{words}.{record}"


def words_of(cleaned: str) -> str:
    """Equal for equal texts, whatever their link."""
    return cleaned.rpartition(".")[0].rpartition(".")[2]


def why_cleaned(stored: str | None, wanted: str) -> Reason:
    """Why a cleaned document whose fingerprint differs from the stored one is written."""
    if stored is None:
        return "new"
    (source, cleaner), (new_source, new_cleaner) = stored.split(".")[:2], wanted.split(".")[:2]
    return "cleaner changed" if source == new_source and cleaner != new_cleaner else "edited"


def points_fingerprint(cleaned: str, chunks: str) -> str:
    """Of the points of the document with this fingerprint, cut by settings with that one."""
    return f"{cleaned.rpartition('.')[2]}.{chunks}"


def why_embedded(stored: str, wanted: str) -> Reason:
    """Why a document whose points have another fingerprint is embedded again."""
    same_record = stored.partition(".")[0] == wanted.partition(".")[0]
    return "chunk settings changed" if same_record else "edited"
