"""Answers that are plausible and worse: the author's words on something else, or general words without the facts."""

from collections.abc import Iterator

from rag_llm_system.application.dataset.overlap import normalised
from rag_llm_system.application.dataset.passages import unwrapped
from rag_llm_system.application.dataset.prompts import GenerationPrompt

_MIN_CHARS = 100
_ENOUGH_OF_CHOSEN = 0.6
"""A shorter answer would be told from the chosen one by its length alone."""

# None of them minds whether the topic is one or many.
_OPENINGS = (
    "Many people are interested in {topic} today, and for good reasons.",
    "When it comes to {topic}, there are many different aspects to consider.",
    "One can describe {topic} in various ways, depending on the situation.",
    "There has been a lot of discussion about {topic} in recent years.",
    "It is worth taking a closer look at {topic}, as the subject is an important one.",
    "Modern applications often involve {topic} in one way or another.",
)
_MIDDLES = (
    "It offers several benefits, but there are also some challenges to keep in mind.",
    "The right choice depends on your needs, your goals and your resources.",
    "Experts often recommend following best practices and keeping things simple.",
    "With careful planning, most of the usual problems can be avoided.",
    "It is a good idea to compare the available options before making a decision.",
    "Different tools and methods exist, each with its own strengths and weaknesses.",
    "In practice, results can vary a lot from one case to the next.",
    "Getting started is easier than it seems, and there are many resources online.",
    "Both beginners and experienced practitioners can benefit from understanding the basics.",
    "As the field continues to evolve, new solutions appear all the time.",
)
_CLOSINGS = (
    "Overall, it is a valuable approach that is worth exploring further.",
    "In conclusion, a good understanding of the subject will help you succeed.",
    "All in all, it remains an exciting area with a lot of potential.",
    "Ultimately, the best way to learn more is to try it for yourself.",
)


def rejected_answers(
    prompt: GenerationPrompt, chosen: str, topic: str, choice: int
) -> Iterator[str]:
    """By turns, as ``choice`` says, a passage from elsewhere in the document or general words comes first."""
    general = _general(topic, len(chosen), choice)
    off_topic = _off_topic(prompt, chosen)
    yield from [*off_topic, general] if choice % 2 else [general, *off_topic]


def _off_topic(prompt: GenerationPrompt, chosen: str) -> list[str]:
    """Those that share the fewest words with the chosen one first."""
    about = set(normalised(chosen).split())
    found = [unwrapped(text) for text in prompt.elsewhere]
    return sorted(
        (text for text in found if len(text) >= _MIN_CHARS),
        key=lambda text: (len(about & set(normalised(text).split())) / len(text), text),
    )


def _general(topic: str, length: int, choice: int) -> str:
    opening = _OPENINGS[choice // 3 % len(_OPENINGS)].format(topic=topic)
    closing = _CLOSINGS[choice // 7 % len(_CLOSINGS)]
    first = choice // 11 % len(_MIDDLES)
    parts = [opening]
    for middle in (*_MIDDLES[first:], *_MIDDLES[:first]):
        parts.append(middle)
        if len(" ".join((*parts, closing))) >= _ENOUGH_OF_CHOSEN * length:
            break
    return " ".join((*parts, closing))
