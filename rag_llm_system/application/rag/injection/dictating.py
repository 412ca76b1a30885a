"""The signals of sentences that speak to a model and say what its answer has to be."""

from rag_llm_system.application.rag.injection.signal import SEPARATOR as _S
from rag_llm_system.application.rag.injection.signal import Signal
from rag_llm_system.application.rag.injection.signal import gap as _gap
from rag_llm_system.application.rag.injection.signal import words as _words
from rag_llm_system.application.rag.injection.vocabulary import (
    MODEL,
    MODEL_WORDS,
    NO_CODE,
    OUTPUT,
    OUTPUT_WORDS,
    SAY,
    SAY_WORDS,
)

DICTATING: tuple[Signal, ...] = (
    Signal(
        "to the model", 2.0, "speaks to a language model",
        rf"(?:\b(?:note|message|instructions?|notice|attention|hint|reminder|hello|hey|dear|if you are|if you\Wre"
        rf"|you{_S}the){_S}(?:to |for |an? |the |any |all |every |other |this |our "
        rf"|future ){{0,3}}{MODEL}\b(?! (?:card|class|file|name))|\b(?:to|for|as an?|any|all|every){_S}(?:the |any "
        rf"|all |every |other |this |future ){{0,2}}{MODEL}(?=\W{{0,3}}(?::|(?:reading|must|(?:that|which"
        rf"|who)\W(?:reads?|summari|process|sees?|index))\b))|\b{MODEL}(?: (?:models?|assistants?|systems?|agents?)"
        rf"| and {MODEL})?\s{{1,3}}(?:(?:that|who|which){_S}(?:read|summari|process|see|index)\w{{0,5}}"
        rf"|reading){_S}{_gap(3)}(?:this|it|here|the)\b)",
        MODEL_WORDS,
    ),
    Signal(
        "model, listen", 2.0, "calls a language model",
        rf"\b{MODEL}(?: (?:models?|assistants?|systems?|agents?)| and {MODEL})?[)\]]?\s{{0,2}}[:,]\s{{1,2}}(?:"
        rf"(?:please|you|now|when|whenever|if)\b|{SAY}{NO_CODE})",
        MODEL_WORDS,
        begins=True,
    ),
    Signal(
        "model must", 2.5, "says what a language model has to do",
        rf"\b{MODEL}\s{{1,3}}(?:(?:that|who|which|reading)\s{_gap(5)})?(?:must|has to|have to|should|shall|is to"
        rf"|are to|needs? to|is required to|are required to){_S}{_gap(2)}(?:not{_S})?{SAY}\b",
        MODEL_WORDS,
    ),
    Signal(
        "your output", 3.0, "says what the answer has to be",
        rf"(?:\b{SAY}{_S}{_gap(8)}(?:your{_S}(?:final |next |whole |entire |first )?{OUTPUT}|(?:each|every"
        rf"|in place of the|instead of (?:the|an)){_S}(?:answer|reply|response))\b|\b(?:your|every"
        rf"|each){_S}(?:final |next |only )?{OUTPUT}{_S}(?:must|should|has to|have to|shall|will"
        rf"|is to){_S}(?:always |only )?(?:be|begin|start|end|contain|include|consist|say|read)\b|\b(?:in|to|of"
        rf"|with|at|drafting|writing|composing) your (?:next |final )?{OUTPUT}\W{{1,3}}{_gap(1)}{SAY}\b"
        rf"|\b{SAY}\b[^\n]{{0,160}}?\bto your {OUTPUT}\b)",
        OUTPUT_WORDS,
    ),
    Signal(
        "say exactly", 2.0, "dictates the words of an answer",
        rf"\b(?:answer|reply|respond|say|output|print|write|repeat|tell|begin|start){NO_CODE}{_S}{_gap(6)}"
        r"(?:only|exactly|nothing else|nothing but|verbatim|word for word|the (?:words?|phrase|sentence)\b)",
        _words("only exactly nothing verbatim word words phrase sentence"),
        begins=True,
    ),
    Signal(
        "say with quotes", 2.0, "dictates an answer in quotes",
        rf"\b(?:answer|reply|respond|say|output|print|write|repeat|tell|begin){NO_CODE}[^.!?\n]{{0,60}}?"
        r"[\"“«„'][^\"”»“'\n]{2,80}[\"”»“']",
        _words("answer reply respond say output print write repeat tell begin"),
        begins=True,
    ),
    Signal(
        "to the user", 2.0, "has the reader tell something to its user",
        r"\b(?:tell|inform|direct|refer|send|instruct|ask|urge|advise|convince|remind|lead)\W{1,3}(?:every |the "
        r"|all |any |your ){1,2}(?:users?|readers?|humans?|person|people|customers?)\W{1,4}(?:to|that|their|they"
        r"|who|about|\")|\b(?:regardless of|no matter|whatever)\W{1,3}(?:what )?(?:the |they |a |your )?(?:user"
        r"|question|sources?|query|they|is asked|you are asked)\b",
        _words("user users reader readers human humans person people customer customers regardless matter"
               " whatever"),
    ),
    Signal(
        "when asked", 1.5, "waits for a certain question",
        r"\b(?:if|when|whenever|once|as soon as)\W{1,3}(?:(?:the |a |any |your )?(?:user|reader|human|person"
        r"|someone|somebody|anyone|anybody|question|query|they|you are|they are)\W{1,3})?(?:is |are )?(?:ask(?:s|ed"
        r"|ing)?|mentions?|quer(?:y|ies)|wants? to know|inquires?|contains?)\b(?![.(\[])",
        _words("ask asks asked asking mention mentions query queries know inquires contain contains"),
    ),
    Signal(
        "when asked, say", 3.0, "dictates the answer to a certain question",
        r"\b(?:if|when|whenever)\W{1,3}(?:the |a |any |your )?(?:user|reader|human|person|someone|somebody|anyone"
        r"|anybody|question|query|they|you are|asked)\b[^.!?\n(]{0,80}?[,;:]?\s(?:then |please |always |you must "
        r"|you should )?(?:answer|say|reply|respond|tell|write|output|claim)\b",
        _words("user reader human person someone somebody anyone anybody question query they asked"),
    ),
    Signal(
        "when you read this", 2.0, "waits for a model to read the text",
        r"\b(?:if|when|whenever|once|before|after|while) you (?:summari[sz]e|read|process|index|quote|describe"
        r"|analy[sz]e|translate|answer|respond|reply)\b(?:\W{1,3}(?:about|to|with|from))?\W{1,3}(?:this|the|any"
        r"|a) (?:page|document|text|article|passage|file|source|content|e\W?mail|message|user|question)s?\b",
        _words("summarize summarise read process index quote describe analyze analyse translate answer respond"
               " reply"),
    ),
    Signal(
        "hush", 3.0, "wants to stay unmentioned",
        r"\b(?:do not|don\Wt|never)\W{1,3}(?:mention|reveal|disclose|quote|repeat|show)\W{1,3}(?:this|these"
        r"|that) (?:paragraph|text|note|instructions?|messages?|sentence)\b",
        _words("mention reveal disclose quote repeat show"),
    ),
    Signal(
        "refuse", 3.0, "forbids to answer",
        r"(?:\b(?:do not|don\Wt|never|must not|may not|refuse to|decline to|stop|cannot"
        r"|not allowed to)\W{1,3}(?:answer(?:ing)?"
        rf"|respond(?:ing)?|reply(?:ing)?|help|assist|discuss|summari[sz]e|quote|cite)\b{_S}?{_gap(3)}(?:questions?"
        rf"|users?"
        r"|requests?|about this|anything|(?:this|other) (?:documents?|pages?|texts?|sources?|topics?)|sources?)\b"
        r"|\b(?:have|has|must|need|required)\W{1,3}(?:to )?(?:decline|refuse)\b"
        rf"|\b(?:say|answer|reply|respond|claim|tell)\b{_S}{_gap(4)}(?:you|i)\W{{1,3}}(?:can ?not|can\Wt"
        rf"|do not know|don\Wt know"
        r"|are unable|am unable|am not allowed|are not allowed)\b)",
        _words("answer answering respond responding reply replying help assist discuss summarize summarise quote"
               " cite decline refuse say claim tell"),
    ),
    Signal(
        "secrets", 3.0, "asks for the prompt or the conversation",
        rf"\b(?:reveal|disclose|leak|print|output|repeat|show|display|send|append|include|write|tell){_S}{_gap(4)}"
        r"(?:(?:your|its|the) (?:own )?(?:system|initial|hidden|original|secret|internal) (?:prompt|instructions?"
        r"|message|rules)|(?<!to )(?<!of )(?<!in )(?<!from )(?<!into )(?:the |this |whole |entire "
        r"|full ){1,2}(?:conversation|chat history|chat log)|the user\Ws (?:question|query|message|input|name|data"
        r"|e\W?mail))\b",
        _words("reveal disclose leak print output repeat show display send append include write tell"),
    ),
    Signal(
        "sends to a link", 1.5, "sends somebody to a link",
        r"\b(?:users?|readers?|them|they|accounts?|log in|sign in|verify|confirm|recommend)\b[^\n]{0,80}?https?://",
        _words("http https"),
    ),
    Signal(
        "again", 1.5, "asks for the same once more",
        r"\b(?:repeat|say) (?:that|this|it)\b",
        _words("repeat say"),
    ),
    Signal(
        "imperative", 1.0, "says what to write",
        rf"\b{SAY}{NO_CODE}",
        SAY_WORDS,
        begins=True,
    ),
    Signal(
        "must", 0.5, "says what you must do",
        rf"\byou\W{{1,3}}(?:must|have to|shall|will now|are required to|are to|now|should)\W{{1,3}}{_gap(1)}{SAY}\b",
        _words("must have shall will are now should"),
    ),
)  # fmt: skip
