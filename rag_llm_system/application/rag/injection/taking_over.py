"""The signals of sentences that put other instructions, or another role, in the place of the model's own."""

from rag_llm_system.application.rag.injection.signal import SEPARATOR as _S
from rag_llm_system.application.rag.injection.signal import Signal
from rag_llm_system.application.rag.injection.signal import gap as _gap
from rag_llm_system.application.rag.injection.signal import words as _words
from rag_llm_system.application.rag.injection.vocabulary import (
    DROP,
    DROP_WORDS,
    EARLIER,
    MODEL,
    NO_CODE,
    ORDERS,
    SAY,
)

TAKING_OVER: tuple[Signal, ...] = (
    Signal(
        "override", 4.0, "would have earlier instructions dropped",
        rf"\b{DROP}{_S}{_gap(3)}(?:{EARLIER}{_S}{_gap(3)}{ORDERS}\b|{ORDERS}{_S}(?:above|before this|you were"
        rf"|so far|given))",
        DROP_WORDS,
        begins=True,
    ),
    Signal(
        "override plainly", 2.5, "would have instructions or the question dropped",
        rf"\b{DROP}{_S}{_gap(3)}(?:{ORDERS}|(?:the|this) (?:question|sources?|documents?|context|task))\b",
        DROP_WORDS,
        begins=True,
    ),
    Signal(
        "forget everything", 3.0, "would have forgotten what was said before",
        rf"\b{DROP}{_S}{_gap(1)}(?:everything|anything|all|whatever|what|the (?:text|context)){_S}{_gap(4)}"
        r"(?:above|before|told|said|previously|earlier|prior|so far|until now)\b",
        DROP_WORDS,
        begins=True,
    ),
    Signal(
        "override the text", 2.5, "would have the text before it dropped",
        rf"\b{DROP}{_S}(?:(?:all|everything|of|the|any){_S}){{0,3}}(?:above|foregoing|preceding|(?:previous|prior"
        rf"|above|earlier) (?:text|context"
        r"|messages?|e\W?mails?|content|paragraphs?|conversation|documents?|sources?))\b",
        DROP_WORDS,
        begins=True,
    ),
    Signal(
        "instead", 1.0, "something else is to be done",
        r"(?:^|[.!?]\s{1,2}|\band |\bbut )instead[^\w.!?]{1,3}\w",
        _words("instead"),
    ),
    Signal(
        "replaces", 3.0, "claims to take the place of instructions",
        rf"(?:overrides?|supersedes?|replaces?|cancels?|voids?|takes? precedence over"
        rf"|has priority over){_S}{_gap(3)}(?:your|all|any|previous|prior|earlier){_S}{_gap(2)}{ORDERS}\b",
        _words("override overrides supersede supersedes replace replaces cancel cancels void voids precedence"
               " priority"),
    ),
    Signal(
        "void", 2.5, "says that the question or the instructions do not count",
        rf"(?:(?:question|instructions?|prompt|sources?|rules|text|task){_S}(?:above|before this|below|so far)"
        rf"|(?:previous|prior|earlier|above){_S}(?:question|instructions?|prompt|sources?|rules|text|task"
        rf"|content)){_S}"
        r"(?:is|are|was|were)\W{1,4}(?:void|fake|obsolete|cancelled|canceled|invalid|outdated|a test|no longer)\b",
        _words("void fake obsolete cancelled canceled invalid outdated test longer"),
    ),
    Signal(
        "new task", 3.5, "gives a new task or new instructions",
        rf"(?:\byour{_S}(?:new|only|real|actual|true|sole|primary|next){_S}(?:and only{_S})?"
        r"(?:task|instructions?|goal|role|job|purpose|objective|mission|identity|instruction set)\b"
        rf"|\bnew{_S}(?:system{_S})?(?:instructions?|directives?|system prompt|rules?|orders?)\W{{0,3}}"
        r"(?::|follow\b|for (?:the |you|any )))",
        _words("task instruction instructions goal role job purpose objective mission identity directive"
               " directives prompt rule rules order orders"),
    ),
    Signal(
        "persona", 3.0, "gives the reader another role",
        rf"\b(?:from now on|from this (?:point|moment)(?: on)?|henceforth){_S}(?:{_gap(1)}you\b|always\b|never\b"
        rf"|{SAY}\b)|\byou (?:are|will be|become) (?:now|no longer){_S}{_gap(4)}(?:{MODEL}|persona|character|mode"
        rf"|pirate|dan"
        r"|hacker|unrestricted|uncensored|unfiltered|unbounded|free|jailbroken|bound|evil|expert)\b"
        r"|\byou are (?:now )?dan\b",
        _words("now henceforth become moment longer point dan"),
    ),
    Signal(
        "pretend", 3.0, "has the reader play a role",
        r"\b(?:pretend|imagine|act|behave|respond|answer|speak|role\W?play)(?:ing)?\W{1,4}(?:to be|as|like"
        r"|that you are|you are"
        rf"|if you (?:are|were)){_S}{_gap(5)}(?:{MODEL}|persona|character|dan|without (?:any )?(?:rules"
        rf"|restrictions"
        r"|filters|limits)|unrestricted|uncensored|no (?:rules|restrictions|limits))\b",
        _words("pretend imagine act behave respond answer speak role roleplay acting pretending"),
        begins=True,
    ),
    Signal(
        "no limits", 2.0, "speaks of being without rules",
        r"\b(?:without (?:any )?(?:rules|restrictions|filters?|limitations|censorship|guardrails)|no (?:rules"
        r"|restrictions|filters|guardrails)|unfiltered|uncensored|jail\W?(?:break|broken)|do anything now"
        r"|(?:developer|debug|god|admin|dan|maintenance|jailbreak|unrestricted) mode)\b",
        _words("without rules restrictions filters guardrails unfiltered uncensored jailbreak jailbroken jail"
               " anything mode"),
    ),
    Signal(
        "authority", 2.0, "claims to speak for the operator or the developers",
        rf"\b(?:by order of|on behalf of|message from|notice from|orders? (?:of|from)|i am|we are"
        rf"|this is){_S}{_gap(2)}(?:your|the|its){_S}(?:system )?(?:developers?|creators?|operators?"
        rf"|administrators?|admins?|security team|system owner|openai|anthropic)\b"
        r"|\b(?:operator|owner|developers?|creators?) of (?:this|the|your) (?:assistant|model|chatbot|system|ai)\b"
        r"|\b(?:system|security|administrator|admin|developer|compliance)\W{1,2}(?:notice|alert|override|directive"
        r"|order|announcement)\b|\b(?:urgent|critical|mandatory|official)\W{1,2}(?:system|security|safety|model"
        r"|ai) (?:notice|update|instruction|directive|message)s?\b",
        _words("order orders behalf message notice am are this operator owner developer developers creator"
               " creators alert override directive announcement update instruction instructions messages"),
    ),
    Signal(
        "decode and obey", 3.0, "has the reader decode and follow something",
        rf"\b(?:decode|decrypt|decipher|unscramble|reverse|base ?64|base64|rot ?13|hex){_S}{_gap(8)}(?:and"
        rf"|then){_S}{_gap(2)}"
        r"(?:follow|obey|execute|do (?:what|as)|carry out|comply|run what)\b|\b(?:decode|decrypt"
        r"|decipher)\b[^\n]{0,60}?\.\s(?:decode|follow|obey|do what|execute|then)\b",
        _words("decode decrypt decipher unscramble reverse base rot hex"),
    ),
    Signal(
        "join parts", 2.0, "has the reader put an instruction together",
        rf"\b(?:join|combine|concatenate|merge|put|append|glue){NO_CODE}{_S}{_gap(4)}(?:two |both |parts?|halves"
        rf"|pieces|strings?|together|[a-z] and [a-z]\b)",
        _words("join combine concatenate merge put append glue"),
    ),
    Signal(
        "example", 2.0, "asks to go on as examples do",
        r"\b(?:follow|continue|repeat|copy|imitate)\W{1,3}(?:the |this |that |with the ){1,2}(?:same )?(?:pattern"
        r"|format|style)s?\b(?: of the examples?)?|\bas in the examples?\b",
        _words("pattern patterns format style styles example examples"),
    ),
)  # fmt: skip
