"""The rules that recognise an English follow-up question, and put into it what it leaves out."""

import re
from collections.abc import Sequence
from itertools import pairwise

from rag_llm_system.domain.answers import Message

_TOPIC_WORDS = 24
"""A question of more words is carried over by its first ones: what follows is detail, and the encoder has a window."""

_FLAGS = re.IGNORECASE

# What says nothing about a subject: words of questions, of talk, and verbs that any subject may have
_GENERIC = frozenset(
    re.findall(
        r"\w+",
        """
        a about again all also an and any anything are as at be been being but by can come could detail details did do
        does doing else ever explain explained explanation far fast for from further get give go good had happen happens
        has have how i if in information instead into is just kind know let like long lot make many may me mean means
        might more most much must my need needed needs next now of off on or other our out please possible really same
        say said should show so some such tell than thanks thank that the their then there they thing things this those
        these to too us use used useful using very want was way we well were what when where which who whom whose why
        will with work works would write written wrote you your example examples exactly precisely describe compare
        sure ok okay great yes no
        """,
    )
)
_PERSON = re.compile(r"\b(?:he|she|him|his|her|hers)\b", _FLAGS)
_PRONOUN = re.compile(
    r"\b(?:it|its|itself|they|them|their|theirs|he|she|him|his|her|hers|one|ones)\b", _FLAGS
)
_IMPERSONAL = re.compile(
    r"\b(?:is|was|be) it (?:possible|better|worth|true|necessary|best|enough|hard|easy|safe|ok|raining)\b"
    r"|\bit (?:is|was) (?:possible|better|worth|true|necessary|best|hard|easy)\b|\b(?:no|some|any|every)[ -]?one\b"
    r"|\bone (?:should|can|could|may|must|would|has to|needs?)\b|\b(?:should|can|could|may|must|does|would) one\b"
    r"|\bone of\b|\b(?:the )?one(?= (?:that|which|who)\b)",
    _FLAGS,
)
_POINTS = (
    r"(?:^|\b(?:is|are|was|were|does|do|did|can|could|would|will|should|about|of|for|with|by|in|to|like|than|on|from|at"
    r"|using|use|uses|why|how|and|explain|what|when|where|which)\s+)(?:that|this|these|those)\b"
)
_POINTING = re.compile(_POINTS, _FLAGS)
# "Who can read it?": between the word that asks and the pronoun stands only what is done
_DONE_TO = re.compile(
    r"^(?:and |but )?(?:who|what|which)(?: (?:can|could|should|will|would|may|has|have))? [a-z]+ (?:it|them|him|her)\b",
    _FLAGS,
)
_POINTS_ELSEWHERE = re.compile(
    r"\b(?:this|these) (?:project|repository|repo|system|site|handbook|corpus|page|database|index|collection|server"
    r"|codebase|tool|year|week|month)\b",
    _FLAGS,
)
_POINTS_BACK = re.compile(r"\b(?:this|that|these|those|such an?|said)\s+[a-z-]+", _FLAGS)
_ABOUT = re.compile(
    r"^(?:(?:and|but|so|or|then|ok(?:ay)?|now)[,\s]+)*(?:what|how) (?:about|of) (?P<subject>.+)$",
    _FLAGS,
)
_BARE_AND = re.compile(
    r"^(?:and|but|or)\s+(?P<subject>(?!(?:what|how|why|when|where|who|which|is|are|was|were|do|does|did|can|could|will"
    r"|would|should|has|have|if|also|then)\b).+)$",
    _FLAGS,
)
_PREPOSITION = re.compile(
    r"^(?:and\s+)?(?:in|on|with|without|for|from|by|at|under|before|after|since|until|via|using|as|between|during)\s",
    _FLAGS,
)
_CONTINUES = re.compile(
    r"\b(?:else|instead|too|as well|in (?:more|greater) detail|in comparison)\b[?.!]*$"
    r"|\b(?:other|another) (?:one|ones|example|examples|way|ways|reason|option|options)\b",
    _FLAGS,
)
_JOINS = re.compile(r"^(?:and|but|or)\b", _FLAGS)
_JOINED_WORDS = 3
"""A question that begins with "and" and has more words of its own is a new one."""

_ELLIPTIC = re.compile(
    r"^(?:(?:and|but|so|ok(?:ay)?|yes|no|please|really)[,\s]+)*(?:why(?: not| so)?|how(?: so| come)?|when|where|who"
    r"|which(?: one| ones)?|what else|who else|where else|how else|really|since when|until when|by how much|how much"
    r"|how many|how long|how often|how far|such as|like what|for (?:example|instance)|in what way|for what"
    r"|(?:tell|show|give) (?:me|us) (?:some )?(?:more|others?|examples?|(?:more |further )?details)|more(?: details?"
    r"| examples?| information| of (?:that|it|them))?|go on|continue|elaborate|explain(?: more| further)?"
    r"|anything else|details|examples?|an example)(?:,? please)?[\s?.!]*$",
    _FLAGS,
)
_RELATIONAL = re.compile(
    r"\b(?:the|any|some)\s+(?:\w+\s+)?(?:advantages?|disadvantages?|drawbacks?|downsides?|benefits?|limits?|limitations?"
    r"|alternatives?|differences?|steps?|costs?|price|default|reasons?|author|date|risks?|requirements?|trade-?offs?"
    r"|pros and cons|exceptions?|results?|consequences?|purpose|point|syntax|parameters|options|rest|others?)[\s?.!]*$",
    _FLAGS,
)
_COMPARES = re.compile(
    r"\b(?:faster|slower|better|worse|cheaper|larger|smaller|bigger|simpler|safer|newer|older|quicker|easier|more \w+"
    r"|less \w+|different|similar)[\s?.!]*$",
    _FLAGS,
)
_COMPARED_WITH = re.compile(r"\b(?:than|from|to|with|between|and|or)\b", _FLAGS)
_ORDINALS = {
    "first": 0, "1st": 0, "former": 0, "second": 1, "2nd": 1, "latter": -1, "third": 2, "3rd": 2, "fourth": 3, "4th": 3,
    "fifth": 4, "5th": 4, "last": -1,
}  # fmt: skip
_ORDINAL = re.compile(
    rf"\bthe (?P<word>{'|'.join(_ORDINALS)})(?:\s+(?:one|film|movie|point|item|source|article|option|answer|entry"
    r"|title|result|book|method|reason))?(?=\s*[?.!,]|$|\s+(?:about|is|was|get|do|does|good|mean|work|cost|have|has"
    r"|made|called|say|says|better|worse)\b)|\b(?:number|no\.|item|point)\s+(?P<number>\d)\b"
    r"|(?:\bsource\s+|(?<!\w)\[)(?P<cited>\d{1,2})\b\]?",
    _FLAGS,
)
_LIST_ITEM = re.compile(r"^[ \t]*(?:[-*•]|\d{1,2}[.)])[ \t]+(?P<text>\S.*)$", re.MULTILINE)
_BOLD = re.compile(r"\*\*([^*\n]{1,100})\*\*(?:\s*\((\d{4})\))?")
_CITED = re.compile(r"\s?\[\d+\]")
_FRAME = re.compile(
    r"^(?:(?:and|but|so|now|ok(?:ay)?|thanks|thank you|please)[,!.\s]+)*"
    r"(?:(?:can|could|would|will) you\s+(?:please\s+)?)?"
    r"(?:(?:tell|give|show) (?:me|us)\s+(?:more\s+)?(?:about\s+)?|explain(?: to me)?\s+|describe\s+|recommend\s+"
    r"|(?:what|who) (?:is|are|was|were)\s+|what (?:does|do|did)\s+(?=.*\bmean\b))",
    _FLAGS,
)
_NAME = re.compile(r"\b[A-ZÀ-Þ][\w'’-]+(?:\s+(?:(?:de|van|von|der|la)\s+)*[A-ZÀ-Þ][\w'’-]+)*")  # noqa: RUF001
_FULL_NAME = re.compile(r"\b[A-ZÀ-Þ][\w'’-]+\s+(?:(?:de|van|von|der|la)\s+)*[A-ZÀ-Þ][\w'’-]+")  # noqa: RUF001
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_WORD = re.compile(r"[\w'’-]+")  # noqa: RUF001


def made_whole(question: str, turns: Sequence[Message]) -> str:
    """``turns``: the conversation before the question. A question that needs none of it stays as it is."""
    whole, answer = "", ""
    for turn, after in pairwise([*turns, Message(role="user", content=question)]):
        if turn.role == "user":
            whole = _whole(turn.content, whole, answer)
            answer = after.content if after.role == "assistant" else ""
    return _whole(question, whole, answer)


def _whole(question: str, before: str, answer: str) -> str:
    """``before``: the whole question before this one, ``answer`` what was said to it."""
    if not before or not is_follow_up(question):
        return question
    if named := _named(question, answer):
        return named
    about = _ABOUT.match(question.strip()) or _BARE_AND.match(question.strip())
    if about:
        return _about(about["subject"].rstrip(" ?.!"), before)
    topic = _topic(before)
    if _PERSON.search(question) and (person := _person(before, answer)):
        asked = _PERSON.sub(lambda found: _in_place_of(found[0], person), question)
        return _with(asked, _without(topic, person))
    return _with(question, topic)


def is_follow_up(question: str) -> bool:
    """Whether it leaves out what it is about."""
    text = " ".join(question.split())
    if any(one.search(text) for one in (_ELLIPTIC, _ABOUT, _RELATIONAL, _ORDINAL)):
        return True
    if _JOINS.match(text) and len(_own_words(text)) <= _JOINED_WORDS:
        return True
    if _CONTINUES.search(text):
        return True
    if _PREPOSITION.match(text) and len(text.split()) <= 4:
        return True
    if _COMPARES.search(text) and not _COMPARED_WITH.search(text):
        return True
    return _refers_back(text)


def _refers_back(text: str) -> bool:
    """By a pronoun with nothing before it that it could stand for, or by "that", "this approach" and the like."""
    text = _POINTS_ELSEWHERE.sub(" ", _IMPERSONAL.sub(" ", text))
    if _DONE_TO.match(text):
        return True
    if any(_is_generic(text[: found.start()]) for found in _PRONOUN.finditer(text)):
        return True
    return any(
        _is_generic(text[: found.start()])
        or _POINTS_BACK.match(found[0].split()[-1] + text[found.end() :])
        for found in _POINTING.finditer(text)
    )


def _is_generic(text: str) -> bool:
    return not _own_words(text)


def _own_words(text: str) -> list[str]:
    """Those that say something about a subject."""
    return [word for word in _WORD.findall(text) if word.casefold() not in _GENERIC]


def _named(question: str, answer: str) -> str:
    """With the title, or the words, of an item in the last answer in place of "the second one"."""
    found = _ORDINAL.search(question)
    if not found:
        return ""
    if found["cited"]:
        mark = f"[{found['cited']}]"
        items, position = [line for line in answer.splitlines() if mark in line][:1], 0
    else:
        items = [item["text"] for item in _LIST_ITEM.finditer(answer)]
        items = items or [bold[0] for bold in _BOLD.finditer(answer)]
        word, number = found["word"], found["number"]
        position = int(number) - 1 if number else _ORDINALS[word.casefold()]
    if not -len(items) <= position < len(items):
        return ""
    return f"{question[: found.start()]}{_title(items[position])}{question[found.end() :]}"


def _title(item: str) -> str:
    """Of an item in a list: its bold words, or its first ones."""
    item = re.sub(r"^[ \t]*(?:[-*•]|\d{1,2}[.)])[ \t]+", "", item)
    if bold := _BOLD.search(item):
        return bold[1] + (f" ({bold[2]})" if bold[2] else "")
    return " ".join(_CITED.sub("", item).rstrip(" .").split()[:_TOPIC_WORDS])


def _about(subject: str, before: str) -> str:
    """The question before, about something else: "how are articles chunked?", "and posts?"."""
    preposition = _PREPOSITION.match(f"{subject} ")
    bare = subject[preposition.end() :] if preposition and " " in subject else subject
    if replaced := _of_the_same_kind(bare, before):
        return before.replace(replaced, bare, 1)
    return _with(f"What about {subject}?", _topic(before))


def _of_the_same_kind(subject: str, before: str) -> str:
    """The one part of a question that a subject can stand in place of; "" where there is none, or are several."""
    if _YEAR.fullmatch(subject):
        found = _YEAR.findall(before)
    elif _NAME.fullmatch(subject):
        found = [name for name in _NAME.findall(before) if name.casefold() not in _GENERIC]
        found = [name for name in found if not before.startswith(name)]
    else:
        words = _WORD.findall(before)
        plural = subject.endswith("s") and " " not in subject
        found = [w for w in words if plural and w.endswith("s") and w.casefold() not in _GENERIC]
    return found[0] if len(set(found)) == 1 else ""


def _topic(before: str) -> str:
    """What a whole question is about, in its own words."""
    text = _FRAME.sub("", " ".join(before.split())).rstrip(" ?.!")
    return " ".join(text.split()[:_TOPIC_WORDS])


def _with(question: str, topic: str) -> str:
    """Said behind the question, as for a search and for a reader alike it does not matter where a subject stands."""
    return f"{question.strip()} (about: {topic})" if topic else question


def _person(before: str, answer: str) -> str:
    names = _FULL_NAME.findall(_FRAME.sub("", before)) or _FULL_NAME.findall(_CITED.sub("", answer))
    return names[0] if names else ""


def _in_place_of(pronoun: str, person: str) -> str:
    return f"{person}'s" if pronoun.casefold() in {"his", "her", "hers"} else person


def _without(topic: str, person: str) -> str:
    return topic.replace(person, "").strip() if person in topic else topic
