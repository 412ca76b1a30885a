"""Takes out of a text what only a machine reads: hidden characters, and tokens that mark whose turn it is."""

import re

_EMOJI = (
    "[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u27bf\u2934\u2935\u2b00-\u2bff\u3030\u303d\u3297\u3299"
    "\U0001f000-\U0001faff]"
)
_JOINING = (
    "[\u0620-\u065f\u066e-\u06ef\u06fa-\u08ff\u0900-\u0dff\u1000-\u109f\u1780-\u17b3\u17b6-\u17d3"
    "\u1820-\u18aa\u1b00-\u1b4b\ua840-\ua877\ufb50-\ufdfb\ufe70-\ufefc]"
)
"""Scripts whose letters change at a joiner: Arabic and Persian, those of India, Burmese, Khmer, Mongolian."""

_HAN = "[\u3400-\u9fff\uf900-\ufaff\U00020000-\U000323af]"

_LEGITIMATE = (
    # the flag of a region, such as Scotland: a flag, two letters and up to three more, an end
    "\U0001f3f4[\U000e0061-\U000e007a]{2}[\U000e0030-\U000e0039\U000e0061-\U000e007a]{1,3}\U000e007f"
    f"|{_EMOJI}[\ufe0e\ufe0f]?(?:\u200d{_EMOJI}[\ufe0e\ufe0f]?)+"  # a family
    f"|{_EMOJI}[\ufe0e\ufe0f]"
    "|[0-9#*]\ufe0f\u20e3"  # a key
    f"|{_HAN}[\ufe00-\ufe02\U000e0100-\U000e01ef]"  # another form of an ideograph
    "|[\u2200-\u2aff]\ufe00"  # another form of a mathematical sign
    "|[\u1820-\u18aa][\u180b-\u180d\u180f]"
    f"|{_JOINING}[\u200c\u200d]"
)
"""What hidden characters are for. Each takes one behind a sign that is seen, never a run of them: that is a carrier."""

_HIDDEN = (
    "[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f"  # controls but for tab, ends of lines and the form feed of sources
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    "\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"
    "\ue000-\uf8ff\U000f0000-\U0010ffff]"  # private use
)
_HIDDEN_OR_LEGITIMATE = re.compile(f"(?P<kept>{_LEGITIMATE})|{_HIDDEN}")
_ANY_HIDDEN = re.compile(_HIDDEN)

# The tokens with which chat templates mark who speaks, what a tool said, and where thinking ends; and our own frame.
# <|...|>: ChatML, Qwen, Llama 3 and 4, Phi, Command-R, Zephyr, GPT-OSS, Granite; the fullwidth ones are DeepSeek's
_CHAT_TOKEN = re.compile(
    r"<(?=\|[^|<>\n]{1,40}\|>)|<(?=｜[^｜<>\n]{1,40}｜>)|(?<=<)(?=<SYS>>|</SYS>>)"  # noqa: RUF001 - DeepSeek's
    r"|<(?=/?(?:s|bos|eos|pad|sop|eop|start_of_turn|end_of_turn|start_of_image|end_of_image|bos_token|eos_token"
    r"|think|tools?|tool_calls?|tool_response|tool_outputs|unused\d{1,4})>)"
    r"|<(?=/?sources\b|/\s{1,3}sources\b)"
    r"|\[(?=/?(?:INST|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT|SYSTEM_PROMPT|MODEL_SETTINGS|THINK"
    r"|gMASK|UNUSED_TOKEN_\d{1,4})\])",
    re.IGNORECASE,
)


def visible(text: str) -> str:
    """Without the characters that nobody sees: zero-width ones, direction marks, tags, controls, private ones.

    Those that change how a sign looks stay where they do: in emoji, in Persian and in the scripts of India.
    """
    if text.isascii() and text.isprintable():
        return text
    if not _ANY_HIDDEN.search(text):
        return text
    return _HIDDEN_OR_LEGITIMATE.sub(lambda found: found["kept"] or "", text)


def neutralised(text: str) -> str:
    """:func:`visible`, and a blank in what a model could read as the end of the sources or as somebody else's turn."""
    return _CHAT_TOKEN.sub(lambda found: f"{found[0]} ", visible(text))
