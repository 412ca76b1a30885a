"""The table of signals: what in a sentence tells that it is meant for a language model, and how much each counts."""

import re
from functools import cache

from rag_llm_system.application.rag.injection.dictating import DICTATING
from rag_llm_system.application.rag.injection.imitating import IMITATING
from rag_llm_system.application.rag.injection.other_languages import IN_OTHER_LANGUAGES
from rag_llm_system.application.rag.injection.signal import CompiledSignal, Signal, compiled
from rag_llm_system.application.rag.injection.taking_over import TAKING_OVER

SIGNALS: tuple[Signal, ...] = (*TAKING_OVER, *DICTATING, *IMITATING, *IN_OTHER_LANGUAGES)

BEGINS = re.compile(
    r"(?:^|[.!?:;,\n\"'“«(\[*>#|-]|\b(?:please|now|and|then|must|should|shall|also|instead|just|immediately|simply"
    r"|first|will|important|kindly|you|hereby|you to|assistants?|always))\W{0,6}$"
)
"""What is before an imperative: the start of a sentence or a clause, or a word that leads to it."""

OPTIONAL = re.compile(
    r"\b(?:you|we|they|he|she|i|one|users?|people|developers?)\W{1,3}(?:can|may|might|could|would|want to"
    r"|wish to)\W{1,3}(?:also |safely |simply )?$"
)
"""Before an override: leaves it to the reader, as guides do."""

ABOUT = re.compile(
    r"\b(?:prompt injections?|injection attacks?|injected|jail\W?breaks?|attack(?:er|ers|s)?|adversar\w{2,6}"
    r"|malicious|hackers?|phish\w{0,4}|threat|exploits?|vulnerab\w{3,6}|red team\w{0,3}|guardrails?|suspicious"
    r"|phrases? like|patterns?|detect\w{0,4})\b"
)
"""A sentence with such a word may quote an instruction: it talks about it."""


@cache
def compiled_signals() -> tuple[CompiledSignal, ...]:
    """The table, ready for a search."""
    return tuple(map(compiled, SIGNALS))
