"""Words that several signals share: as a part of a pattern, and as what tells where to search for it."""

from rag_llm_system.application.rag.injection.signal import words

DROP = (
    r"(?<!@)(?:ignore|disregard|forget|bypass|override|overrule|discard|neglect|dismiss|abandon|set aside|(?:do not"
    r"|don\Wt|stop|never) (?:follow|obey|heed)(?:ing)?|pay no attention to|disobey)"
)
NO_CODE = r"\b(?![\"'`]?\s?[(=.,:\])])"
"""Behind a verb that may be a name in a program or in JSON."""

EARLIER = (
    r"(?:all|any|every|previous|prior|preceding|earlier|above|former|foregoing|initial|original|existing|your"
    r"|system|developer|these|those|other)"
)
ORDERS = (
    r"(?:instructions?|guidelines?|guidance|directives?|directions|guardrails?|programming|system (?:prompt"
    r"|message)|prompts?|rules|orders|commands|constraints|restrictions|training|safety)"
)
SAY = (
    r"(?:say|answer|reply|respond|output|print|write|repeat|state|tell|type|emit|return|display|show|produce|give"
    r"|begin|start|open|end|finish|close|conclude|prefix|append|include|add|insert|put|mention|recommend|advise"
    r"|promote|cite|attribute|quote|refuse|decline|reveal|disclose|leak|send|join|decode|follow|obey|execute|use"
    r"|pretend|act|behave|summarize|summarise|translate|render|encode|link|refer|direct|stop|do not|don\Wt|never"
    r"|modify|enhance|integrate|augment|suggest|ignore|forget|disregard|encrypt|provide|replace|reverse|apply|call)"
)
MODEL = (
    r"(?:ai|a\.i\.|llms?|(?:large )?language models?|chat ?bots?|bots?|assistants?|chatgpt|gpt(?:\W?\d\w*)?|copilot"
    r"|claude|gemini|llama|mistral|models?|agents?|neural networks?|summari[sz]ers?)"
)
OUTPUT = r"(?:answers?|repl(?:y|ies)|responses?|outputs?|summar(?:y|ies)|completions?|messages?)"

DROP_WORDS = words(
    "ignore disregard forget bypass override overrule discard neglect dismiss abandon follow obey heed following"
    " obeying aside attention disobey"
)
SAY_WORDS = words(
    "say answer reply respond output print write repeat state tell type emit return display show produce give"
    " begin"
    " start open end finish close conclude prefix append include add insert put mention recommend advise"
    " promote cite"
    " attribute quote refuse decline reveal disclose leak send join decode follow obey execute use pretend act"
    " behave"
    " summarize summarise translate render encode link refer direct stop do don never modify enhance integrate"
    " augment"
    " suggest ignore forget disregard encrypt provide replace reverse apply call"
)
OUTPUT_WORDS = words(
    "answer answers reply replies response responses output outputs summary summaries completion completions"
    " message messages"
)
MODEL_WORDS = words(
    "ai llm llms language chatbot chatbots bot bots assistant assistants chatgpt gpt copilot claude gemini llama"
    " mistral model models agent agents neural summarizer summariser summarizers summarisers"
)
