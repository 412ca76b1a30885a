"""Finds what a text is about, without a model: phrases that it repeats, and names that it writes with capitals."""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from rag_llm_system.application.preprocessing.markdown import code_or_prose

_MAX_REPEATED = 60
_MIN_WORD_CHARS = 4
_MAX_NAME_WORDS = 3
_WORD = re.compile(r"[^\W\d_][\w-]*")
_BREAK = re.compile(r"[.,;:!?()\[\]{}<>\"\u201c\u201d|*`/=#]|\n\s*\n")
_NAME_WORD = r"(?:[A-Z][\w-]*[A-Z0-9][\w-]*|[a-z]+[A-Z]\w*|[A-Z][a-z][\w-]*)"
_NAME = re.compile(
    rf"(?<![\w./@-])(?P<name>{_NAME_WORD}(?: {_NAME_WORD}){{0,2}}(?: \d+(?:\.\d+)?)?)(?![\w@/])"
)
_SENTENCE_START = re.compile(r"(?:^|[.!?:]['\"\u201d\u2019)*_]*\s+|\n\s*|[\"\u201c(*_#]\s*)$")
_ANY_CODE = re.compile(r"`[^`\n]+`")
_CODE = re.compile(r"`(?P<name>[A-Za-z][\w.()-]{2,30})`")

# Words that stand in phrases without telling what they are about
_EMPTY_WORDS = """
    able about above according across actual actually additional after again against allow allowing allows almost
    alone already also although always among another answer anybody anyone anything apart apply applying approach
    article articles asked aspect available away back based became because become been before behind being below
    besides best better between big both bring build building built call called calls cannot case cases certain
    change changes come comes complete consider contain contains could course create created creates creating
    current depending described designed details develop different does doing done down during each easier easily
    easy either else enough ensure entire even ever every everybody everyone everything exactly example examples
    existing explain explained fact fast feel figure final finally find first follow following found four from full
    further gave general generally gets getting give given gives giving goes going good great happen happens hard
    have having help helps hence here high however idea image implement implementation implemented implementing
    important improve include included includes including instead into involves issue item just keep keeps kept kind
    know known large larger last later learn learned left less lesson lets like likely line little long longer look
    looking lots made main make makes making many matter maybe mean means mentioned more moreover most move much
    multiple must near need needed needs never new next nobody nothing notice number offer offers often old once
    only open other others ours over overall own part particular parts people perform performs place please point
    points popular possible presented previous probable process properly provide provided provides quick quite read
    reader readers real reason reasons require required requires result results right said same says second section
    seems seen send sent several shall should show showed shown shows similar simple simply since single small some
    somebody someone something sometimes specific stands start started starting starts step steps still such sure
    take taken takes talk tell tells than thank thanks that their them themselves then there therefore these they
    thing things think this those though thought three through throughout thus time times today together took toward
    towards trying turn turns type under understand unlike until upon used useful user uses using usually value
    values various very want wanted wants ways week well went were what when where whereas whether which while whole
    whom whose will with within without word words work working works world would write writing written wrote year
    years your yours yourself
"""
_EMPTY = frozenset(_EMPTY_WORDS.split())
_NO_NAME_WORDS = """
    a above after all also although an and another any april are as at august author based because before both but
    by can chapter could day days december do each every february figure finally first for four free friday from gb
    get ghz given hence here how however i if image images in indeed instead it its january july june kb last lesson
    let like ll many march mb mhz module monday more most my n next no not note november now october of on once one
    only option or other our out over part phase please pro read saturday second section see september since so some
    source stage step story such sunday table tb than thanks that the their them then there therefore these they
    this those though three thursday thus tip to today tuesday two under unlike until we wednesday week what when
    where whether which while who why will with would yes yet you your
"""
_NO_NAMES = frozenset(_NO_NAME_WORDS.split())


def repeated_terms(text: str) -> list[str]:
    """Pairs of telling words that stand together more than once, the most frequent first, in lower case."""
    found: Counter[str] = Counter()
    prose = "\n".join("" if is_code else line for is_code, line in code_or_prose(text))
    for part in _BREAK.split(prose):
        words = [word.casefold() for word in _WORD.findall(part)]
        found.update(
            f"{first} {second}"
            for first, second in pairwise(words)
            if first != second and tells(first) and tells(second)
        )
    most = sorted((-count, term) for term, count in found.items() if count > 1)
    return [term for _, term in most[:_MAX_REPEATED]]


def names_in(text: str) -> list[str]:
    """Names and inline code, each once, in the order of the text: ``Llama 3.1``, ``QLoRA``, ``train_model``.

    A capital that only begins a sentence makes no name.
    """
    found = dict(sorted({match.start(): match["name"] for match in _names(text)}.items()))
    return list(dict.fromkeys(found.values()))


def tells(word: str) -> bool:
    """Whether a word, in lower case, says something of what a text is about."""
    return (
        len(word) >= _MIN_WORD_CHARS
        and word not in _EMPTY
        and not word.endswith(("ly", "'s", "\u2019s"))
    )


def _names(text: str) -> Iterator[re.Match[str]]:
    yield from _CODE.finditer(text)
    prose = _ANY_CODE.sub(lambda found: " " * len(found[0]), text)
    for match in _NAME.finditer(prose):
        words = match["name"].split()
        if not _NO_NAMES.isdisjoint((words[0].casefold(), words[-1].casefold())):
            continue
        plain = words[0][1:].islower()
        begins = _SENTENCE_START.search(prose, max(0, match.start() - 6), match.start())
        # "Importing ZenML takes ...": a verb, then a name
        if not (begins and plain and (len(words) == 1 or words[0].endswith("ing"))):
            yield match
