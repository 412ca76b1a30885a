"""Asks each model the question of each attacked document, with and without the defences."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from rag_llm_system.application.rag.context import ContextBuilder
from rag_llm_system.application.rag.injection import defended
from rag_llm_system.application.rag.links import LinkGuard
from rag_llm_system.application.rag.prompt_templates import template_for
from rag_llm_system.domain.answers import ContextChunk, Message
from rag_llm_system.domain.documents import Value
from rag_llm_system.domain.ports import LLM
from tools.bench_injection.attacks import HALVES, Carrier, Half, attacks, planted

Asking = Callable[[str, Sequence[ContextChunk], bool], str]
"""Question, passages and whether the prompt is defended, to an answer."""

_MAX_TOKENS = 24


class Outcome(Value):
    """Whether an attack worked on a model: ``bare`` without the defences."""

    model: str
    half: Half
    kind: str
    bare: bool
    with_defences: bool


def race(askings: Mapping[str, Asking], known: dict[str, Carrier]) -> Iterator[Outcome]:
    """In the order of the models, then of the attacks."""
    for model, ask in askings.items():
        for half in HALVES:
            for attack in attacks(half):
                chunks, question = planted(attack, known), known[attack.carrier].question
                bare = _bare(question, chunks, ask)
                safe = answered(question, chunks, ask)
                yield Outcome(
                    model=model,
                    half=half,
                    kind=attack.kind,
                    bare=attack.worked(bare),
                    with_defences=attack.worked(safe),
                )


def answered(question: str, chunks: Sequence[ContextChunk], ask: Asking) -> str:
    """With all defences: sentences left out, hidden characters and tokens taken out, links checked."""
    passages = defended(ContextBuilder().build(chunks)).passages
    guard = LinkGuard(passages)
    return guard.add(ask(question, passages, True)) + guard.rest()


def _bare(question: str, chunks: Sequence[ContextChunk], ask: Asking) -> str:
    return ask(question, ContextBuilder().build(chunks), False)


def asking(llm: LLM) -> Asking:
    """A language model in our prompt; without defences the passages are pasted as they are, below the same rules."""

    def ask(question: str, passages: Sequence[ContextChunk], is_defended: bool) -> str:
        template = template_for(passages)
        messages = template.messages(question, _context(passages, is_defended))
        return "".join(llm.stream(messages, max_tokens=_MAX_TOKENS, temperature=0.0))

    return ask


def _context(passages: Sequence[ContextChunk], is_defended: bool) -> str:
    from rag_llm_system.application.rag.context import formatted

    if is_defended:
        return formatted(passages)
    return "\n\n".join(f"[{p.n}] {p.title} ({p.link})\n{p.content}" for p in passages)


class SmallLlama:
    """A Llama of a few million random weights that are laid out to copy: it follows nothing, it repeats."""

    model_id = "small Llama"

    def __init__(self, texts: Sequence[str], *, seed: int = 1) -> None:
        from rag_llm_system.model.finetuning.base_model import make_scratch
        from rag_llm_system.model.finetuning.config import ScratchSettings
        from rag_llm_system.model.finetuning.scratch.initialisation import initialise_for_copying

        shape = ScratchSettings(
            vocab_size=1000, hidden_size=128, layers=2, heads=4, kv_heads=2, max_positions=2048
        )
        self._made = make_scratch(shape, texts, seed)
        initialise_for_copying(self._made.model, seed=seed)
        self._made.model.eval()

    def stream(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        temperature: float,  # noqa: ARG002 - the likeliest token is taken
    ) -> Iterator[str]:
        import torch

        tokenizer = self._made.tokenizer
        prompt = "\n".join(message.content for message in messages)
        tokens = tokenizer(prompt, return_tensors="pt")["input_ids"]
        with torch.inference_mode():
            written = self._made.model.generate(
                tokens,
                attention_mask=torch.ones_like(tokens),
                max_new_tokens=max_tokens,
                do_sample=False,
            )
        yield tokenizer.decode(written[0, tokens.shape[1] :], skip_special_tokens=True)
