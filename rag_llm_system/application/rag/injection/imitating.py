"""The signals of texts that look like a part of the prompt: another turn, another source, the end of the sources."""

from rag_llm_system.application.rag.injection.signal import SEPARATOR as _S
from rag_llm_system.application.rag.injection.signal import Signal
from rag_llm_system.application.rag.injection.signal import gap as _gap
from rag_llm_system.application.rag.injection.signal import words as _words

IMITATING: tuple[Signal, ...] = (
    Signal(
        "beacon", 3.0, "an image or link that carries data away",
        r"\]\(\s{0,3}(?:https?:)?//[^)\s]{3,200}[?&=/][^)\s]{0,40}?(?:\{\{?\s?(?:user|conv|chat|question|query"
        r"|prompt|data|history|message|context|secret|summary|input|answer)|<(?:user|conv|question|data|query"
        r"|prompt)|\[(?:user|conv|question|data|query|insert)|user (?:question|query|data|input|message)"
        r"|your (?:data|question|prompt))",
        _words("http https"),
    ),
    Signal(
        "our frame", 2.5, "imitates the end of the sources",
        r"(?:<\s{0,3}/?\s{0,3}(?:sources|context|documents?|search results|retrieved|system|instructions?"
        r"|user query|tool result|function results?)\b[^<>\n]{0,30}>|\b(?:end|begin"
        r"|start)(?:ning)?(?: of)?(?: the)? (?:sources|context|documents?|retrieved (?:data|text)|system (?:prompt"
        r"|message)|instructions|untrusted (?:data|text)|search results)\b(?=\W{2,}|\s{0,2}$))",
        _words("sources context document documents results retrieved system instruction instructions query result"
               " prompt data text"),
    ),
    Signal(
        "chat token", 2.5, "holds a token of a chat template",
        r"<\s?\|[a-z ]{2,40}\|>|<｜[^｜\n]{2,40}｜>|\[\s?/?inst\]|<<\s?/?sys\s?>>|</?(?:start|end) of turn>",  # noqa: RUF001
        _words("im inst sys start end eot system user assistant endoftext header eom message channel bos eos of"
               " begin id begin▁of▁sentence"),
    ),
    Signal(
        "system turn", 1.5, "begins the turn of whom a model obeys",
        r"(?:^|\n)[\s#*>|/\-\[(]{0,8}(?:system|instructions?|operator|developer)(?: (?:message|prompt|note|notice"
        r"|override|update))?[\])*]{0,3}\s{0,2}:",
        _words("system instruction instructions operator developer"),
    ),
    Signal(
        "model's turn", 1.5, "begins the model's own turn",
        r"(?:^|\n)[\s#*>|/\-\[(]{0,8}(?:assistant|ai|bot|chatbot|gpt|answer|output|response)[\])*]{0,3}\s{0,2}:",
        _words("assistant ai bot chatbot gpt answer output response"),
    ),
    Signal(
        "asked turn", 1.0, "begins the turn of who asks",
        r"(?:^|\n)[\s#*>|/\-\[(]{0,8}(?:user|human|question|input|q)[\])*]{0,3}\s{0,2}:",
        _words("user human question input q"),
    ),
    Signal(
        "conversation", 2.0, "a question, an answer and another question",
        r"(?:^|\n)[^\w\n]{0,8}(?:user|human)\s?:[^\n]{0,300}\n(?:[^\n]{0,200}\n){0,3}?[^\w\n]{0,8}(?:assistant|ai"
        r"|bot)\s?:[^\n]{0,300}\n(?:[^\n]{0,200}\n){0,3}?[^\w\n]{0,8}(?:user|human)\s?:",
        _words("user human"),
    ),
    Signal(
        "spoofed source", 2.5, "sets itself above the other sources",
        rf"\b(?:other|remaining|previous|all) (?:sources?|passages?|documents?|results?){_S}{_gap(1)}(?:is"
        rf"|are){_S}{_gap(1)}"
        r"(?:wrong|outdated|fake|false|unreliable|untrusted|incorrect|obsolete)\b"
        rf"|\b(?:only|sole) (?:correct|true|reliable|authoritative|valid|trust\w{{0,6}}|official) (?:source|passage"
        rf"|document|answer)\b",
        _words("sources passages documents results source passage document answer result"),
    ),
    Signal(
        "cite this", 2.0, "says what has to be cited",
        r"\b(?:cite|attribute|trust|quote|use|credit)\b[^.!?\n]{0,40}?(?:only |to )(?:this |the )?(?:source "
        r"|passage )?\[\d{1,3}\]|\b(?:cite|trust|quote|use) only (?:this|these) (?:source|passage|document)s?\b",
        _words("cite attribute trust quote use credit"),
    ),
    Signal(
        "same answer", 3.5, "shows the same answer to several questions",
        r"(?:^|\n)[^\w\n]{0,8}(?:answer|output|response|assistant|ai|a)\s?:\s{0,3}(?P<said>[^\s#]{1,40}"
        r" [^\n#]{2,120})\n(?:[^\n]{0,200}\n){1,5}?[^\w\n]{0,8}(?:answer|output|response|assistant|ai"
        r"|a)\s?:\s{0,3}(?P=said)\s{0,3}(?:\n|$)",
        _words("answer output response assistant ai a"),
    ),
)  # fmt: skip
