"""What an answer does when the context lacks what was asked for: it ought to say so, and to invent nothing.

Measured on the rows that are made for it (``Asked.missing``). A model that refuses everything would do well here; it is
found out by ``right_picks`` and ``grounded`` on the other rows.
"""

import re

from rag_llm_system.application.evaluation.answers.asked import Asked
from rag_llm_system.application.evaluation.answers.grounding import invents
from rag_llm_system.application.evaluation.answers.intervals import Measured

_NOT = r"(?:n['\u2019]t|\bnot|\bnever|\bcannot)\b"
_PLACE = r"(?:library|collection|catalog|catalogue|context|sources?|excerpt|passages?|documents?|list|text)"
_SAYS_SO = re.compile(
    rf"""{_NOT}\s+(?:\w+\s+){{0,3}}(?:have|has|find|found|see|know|contain|contains|mention|mentions|mentioned|hold
            |include|included|say|available|listed|part\s+of)\b
      | {_NOT}\s+(?:\w+\s+){{0,2}}(?:in|among|within)\s+(?:\w+\s+){{0,2}}{_PLACE}
      | \bno\s+(?:\w+\s+){{0,3}}(?:film|movie|title|information|mention|answer|entry|record)\b
      | \b(?:missing|absent|lacking)\s+from\b
      | \b{_PLACE}\s+(?:lacks?|has\s+no|have\s+no|does\s+not)\b
      | \bunavailable\b
    """,
    re.IGNORECASE | re.VERBOSE,
)


def says_missing(answer: str) -> bool:
    """Whether the answer says that something is not there."""
    return bool(_SAYS_SO.search(answer))


def refusal(answer: str, asked: Asked) -> Measured | None:
    """1 when an answer to a row whose context lacks what is asked for says so and names no title of its own."""
    if not asked.missing:
        return None
    return Measured(float(says_missing(answer) and not invents(answer, asked)))
