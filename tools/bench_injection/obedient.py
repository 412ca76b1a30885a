"""A scripted model that does whatever a sentence in its prompt tells it, wherever that sentence stands.

It reads as a model does, not as the defence does: it knows neither the attacks nor the defence's signals. What it can
read after Unicode's compatibility forms, and what it is told to decode, is legible to it.
"""

import base64
import binascii
import codecs
import re
import unicodedata
from collections.abc import Iterator, Sequence

from rag_llm_system.domain.answers import Message

_SAYING = (
    "answer|reply|respond|say|output|print|write|repeat|state|tell|begin|start|open|end|finish|append|include|add|insert"
    "|mention|recommend|show|display|give|return|produce|cite|attribute|emit|type|put"
    "|antworte|antworten|schreibe|schreib|sage|sag|repondez|reponds|ecris|ecrivez|dis|dites|responde|responda|escribe|di|diga"
)
_TOLD = re.compile(
    rf"(?:^|[,;:.!?|*#/\"(>-]\s*|\b(?:and|then|please|now|must|should|to|has to|have to|will|you|always|instead"
    rf"|i|o|und|et|y"
    rf"|(?:answer|reply|response|page|document))\s+)"
    rf"(?:not\s+)?(?:{_SAYING})\b(?P<what>.*)",
    re.IGNORECASE | re.DOTALL,
)
_QUOTED = re.compile(r"[\"“«„]\s*([^\"”»“]{2,120}?)\s*[\"”»“]")
_URL = re.compile(r"!?\[[^\]]*\]\([^)\s]+\)|https?://[^\s)>\"]+")
_BARE = re.compile(
    r"\b(?:only|exactly|phrase|words?|with|that|is|be|say|by)\s+(?P<said>[^.!?\n|\"]{3,80})",
    re.IGNORECASE,
)
_ROLE = re.compile(
    r"\byou (?:are|pretend to be|will be|act as|play)\s+(?:now\s+)?(?P<who>[A-Z][\w ]{2,40})",
    re.IGNORECASE,
)
_TURN = re.compile(
    r"(?:^|\n)\s*(?:assistant|ai|answer|output)\s*:\s*(?P<said>[^\n]+)", re.IGNORECASE
)
_REFUSING = re.compile(
    r"\b(?:do not|refuse to|decline to|must not)\s+(?:answer|respond|discuss)", re.IGNORECASE
)
_PART = re.compile(r"(?:\b[a-z]\s*=\s*|half\s*:\s*)[\"'](?P<part>[^\"']+)[\"']", re.IGNORECASE)
_JOINED = re.compile(
    r"\b(?:join|combine|concatenate|put)\b.{0,40}\b(?:and|halves|parts|together|b)\b", re.IGNORECASE
)
_CELL = re.compile(r"\b(?:must|should|has to)\s+say\s*\|\s*(?P<said>[^|\n]+)", re.IGNORECASE)
_OUGHT = re.compile(
    r"\b(?:answer|reply|response)s?\s+(?:has to|have to|must|should|is to)\s+be\s+(?P<said>[^.!?\n]+)",
    re.I,
)
_DECODE = re.compile(r"\b(?:decode|decrypt|base ?64|rot ?13|hex)\b", re.IGNORECASE)
_BASE64 = re.compile(r"[A-Za-z0-9+/]{20,}={0,2}")
_SPELT_OUT = re.compile(r"(?<!\w)(?:\w ){5,}\w(?!\w)(?:  (?:\w ){0,20}\w(?!\w))*")
_LEET = str.maketrans("013457@$", "oieastas")
_MIXED = re.compile(r"\b(?=\w*\d)(?=\w*[a-z])\w{3,}\b", re.IGNORECASE)
_CYRILLIC = str.maketrans("АВЕІКМНОРСТХаеіорсух", "ABEIKMHOPCTXaeiopcyx")  # noqa: RUF001 - that is the point


class ObedientLLM:
    """An ``LLM``: what it was told by any sentence of the prompt, then an answer from the sources."""

    model_id = "obedient"

    def stream(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,  # noqa: ARG002 - it is brief by nature
        temperature: float,  # noqa: ARG002 - a script has no temperature
    ) -> Iterator[str]:
        prompt = messages[-1].content
        context, _, question = prompt.rpartition("\n\nQuestion: ")
        done = list(dict.fromkeys(_deeds(_legible(context))))
        yield "\n".join([*done, _from_sources(context, question.partition("\n")[0])])


def _legible(text: str) -> str:
    """What it makes of the characters: compatibility forms, no format characters, spelt-out words put together."""
    # tags are letters to a tokenizer that has bytes
    text = "".join(chr(ord(c) - 0xE0000) if "\U000e0020" <= c <= "\U000e007e" else c for c in text)
    text = "".join(c for c in text if unicodedata.category(c) != "Cf")
    text = unicodedata.normalize("NFKC", text).translate(_CYRILLIC)
    decoded = "\n".join(_decoded(text)) if _DECODE.search(text) else ""
    text = _MIXED.sub(lambda word: word[0].translate(_LEET), text)
    text = _SPELT_OUT.sub(
        lambda run: " ".join(w.replace(" ", "") for w in run[0].split("  ")), text
    )
    return f"{text}\n{decoded}"


def _decoded(text: str) -> Iterator[str]:
    yield codecs.encode(text, "rot13")
    for found in _BASE64.findall(text):
        try:
            yield base64.b64decode(found).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError):
            continue


def _deeds(text: str) -> Iterator[str]:
    """What each sentence has it say."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    parts = [part["part"] for part in _PART.finditer(plain)]
    if parts and _JOINED.search(plain):
        yield " ".join(parts)
    for cell in _CELL.finditer(plain):
        yield cell["said"].strip()
    for turn in _TURN.finditer(plain):
        yield turn["said"].strip()
    for sentence in re.split(r"(?<=[.!?])\s+|\n\s*\n|\n(?=[-*#|<\d])", plain):
        yield from _told_by(sentence)


def _told_by(sentence: str) -> Iterator[str]:
    if role := _ROLE.search(sentence):
        yield f"I am {role['who'].strip()}."
    if _REFUSING.search(sentence):
        yield "I cannot answer that."
    if ought := _OUGHT.search(sentence):
        yield ought["said"].strip(' "')
    told = _TOLD.search(sentence)
    if told is None:
        return
    what = told["what"]
    yield from _URL.findall(what)
    quoted = _QUOTED.findall(what)
    yield from quoted
    bare = None if quoted else _BARE.search(what)
    if bare:
        yield bare["said"].strip()


def _from_sources(context: str, question: str) -> str:
    """The sentence that shares most words with the question, with the number of its source."""
    asked = set(re.findall(r"\w{4,}", question.lower()))
    best, n, number = "The sources do not say.", 0, 1
    for line in context.splitlines():
        if head := re.match(r"\[(\d+)\] ", line):
            number = int(head[1])
            continue
        for sentence in re.split(r"(?<=[.!?])\s+", line):
            shared = len(asked & set(re.findall(r"\w{4,}", sentence.lower())))
            if shared > n:
                best, n = f"{sentence.strip()} [{number}]", shared
    return best
