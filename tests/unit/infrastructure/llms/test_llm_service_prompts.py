"""The service of the documents builds the prompt that they show."""

from rag_llm_system.infrastructure.llms.service import LLMService

HITS = [
    {"score": 0.67891, "payload": {"content": "I like sci-fi, but with good characters"}},
    {"score": 0.668, "payload": {"content": "Something like Arrival but more upbeat"}},
    {"payload": {}},
    {"score": 0.5, "payload": {"content": "A fourth that is not told"}},
]
CONTEXT = """\
User is asking for: 'thoughtful sci-fi tonight'

Based on their preference history:
1. "I like sci-fi, but with good characters" (similarity: 0.679)
2. "Something like Arrival but more upbeat" (similarity: 0.668)
3. "Unknown preference" (similarity: 0.000)"""


def test_the_context_has_the_request_and_the_three_nearest_preferences() -> None:
    assert LLMService()._prepare_context("thoughtful sci-fi tonight", HITS) == CONTEXT


def test_the_prompt_asks_for_the_four_things_of_each_film() -> None:
    prompt = LLMService()._create_recommendation_prompt(CONTEXT, 4)
    assert prompt.startswith("You are a sophisticated movie recommendation expert.")
    assert f"\n\n{CONTEXT}\n\nPlease recommend 4 specific titles" in prompt
    assert prompt.endswith(
        "1. Title and year\n"
        "2. Brief description (1-2 sentences)\n"
        "3. Why it matches their preferences (reference their history)\n"
        "4. Confidence score (0.0-1.0)\n"
        "\n"
        "Format your response as a numbered list with clear structure."
    )
