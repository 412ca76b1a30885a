"""Generates rows by a language model, and checks each on its own: a bad one costs itself, no other."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice

from pydantic import Field, ValidationError

from rag_llm_system.application.dataset.generation_report import GenerationReport
from rag_llm_system.application.dataset.generation_rows import (
    alike,
    instruction_row,
    preference_row,
)
from rag_llm_system.application.dataset.generators_prompts import (
    TEMPLATES,
    Item,
    PreferenceItem,
    Template,
    again,
)
from rag_llm_system.application.dataset.overlap import normalised
from rag_llm_system.application.dataset.passages import unwrapped
from rag_llm_system.application.dataset.prompts import GenerationPrompt
from rag_llm_system.application.dataset.structured import items_in, quoted
from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.datasets import Row
from rag_llm_system.domain.documents import Value, sha256_of
from rag_llm_system.domain.errors import BackendError
from rag_llm_system.domain.ports import LLM

_DIGEST_CHARS = 20
_SHOWN_CHARS = 60


class LLMSettings(Value):
    """How rows are asked for. ``max_tokens`` of 0: what the template of the kind says.

    ``threads`` is how many prompts are under way at once; the order of the rows does not depend on it. ``retries`` is
    how often a request is sent again after the connection failed.
    """

    pairs: int = Field(5, ge=1, le=20)
    temperature: float = Field(0.7, ge=0, le=2)
    max_tokens: int = Field(0, ge=0)
    threads: int = Field(1, ge=1, le=64)
    retries: int = Field(0, ge=0)


@dataclass
class _Made:
    """What a prompt gave: candidates are ``len(items) + sum(lost.values())``."""

    prompt: GenerationPrompt
    items: list[Item] = field(default_factory=list)
    retried: int = 0
    lost: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class _Problem:
    """``reason`` is counted, ``detail`` is what the model is told."""

    reason: str
    detail: str


class LLMGenerator:
    """``settings.pairs`` rows for each prompt; those that cannot be used are asked for again, once.

    A chosen answer is the author's own slice of the extract: one that is not in it, white space and the shapes of
    quotes aside, cannot be used.
    """

    def __init__(self, llm: LLM, settings: LLMSettings) -> None:
        self._llm = llm
        self._settings = settings
        self._asked: set[str] = set()
        self.name = f"llm:{llm.model_id}"

    def rows(self, prompts: Iterable[GenerationPrompt], report: GenerationReport) -> Iterator[Row]:
        """Raises BackendError when the model stays away; the rows before that prompt have been given out."""
        for made in self._made(prompts):
            report.prompts += 1
            report.candidates += len(made.items) + sum(made.lost.values())
            report.retried += made.retried
            report.lost.update(made.lost)
            for item in made.items:
                question = sha256_of(normalised(item.instruction))[:_DIGEST_CHARS]
                if question in self._asked:
                    report.lose("question asked before")
                    continue
                self._asked.add(question)
                report.rows += 1
                yield self._row(made.prompt, item)

    def _made(self, prompts: Iterable[GenerationPrompt]) -> Iterator[_Made]:
        """In order, with a few prompts under way: a corpus of prompts is never held."""
        waiting = iter(prompts)
        threads = self._settings.threads
        with ThreadPoolExecutor(threads, thread_name_prefix="generate") as pool:
            running: deque[Future[_Made]] = deque(
                pool.submit(self._of_prompt, prompt) for prompt in islice(waiting, threads)
            )
            try:
                while running:
                    made = running.popleft().result()
                    running.extend(pool.submit(self._of_prompt, p) for p in islice(waiting, 1))
                    yield made
            finally:
                for future in running:
                    future.cancel()

    def _of_prompt(self, prompt: GenerationPrompt) -> _Made:
        template = TEMPLATES[prompt.kind]
        pairs = self._settings.pairs
        messages = template.messages(prompt, pairs)
        reply = self._reply(messages, template)
        items, problems = _read(reply, prompt, template, pairs)
        made = _Made(prompt, items)
        if problems:
            made.retried = len(problems)
            correction = again([problem.detail for problem in problems], len(problems))
            messages += [
                Message(role="assistant", content=reply.strip() or "[]"),
                Message(role="user", content=correction),
            ]
            reply = self._reply(messages, template)
            more, problems = _read(reply, prompt, template, len(problems))
            made.items += more
            made.lost.update(problem.reason for problem in problems)
        return made

    def _reply(self, messages: Sequence[Message], template: Template) -> str:
        settings = self._settings
        failed = 0
        while True:
            try:
                return "".join(
                    self._llm.stream(
                        messages,
                        max_tokens=settings.max_tokens or template.max_tokens,
                        temperature=settings.temperature,
                    )
                )
            except BackendError:
                if failed == settings.retries:
                    raise
                failed += 1

    def _row(self, prompt: GenerationPrompt, item: Item) -> Row:
        if isinstance(item, PreferenceItem):
            return preference_row(
                prompt,
                item.instruction,
                chosen=item.chosen,
                rejected=item.rejected,
                generator=self.name,
            )
        return instruction_row(prompt, item.instruction, item.answer, generator=self.name)


def _read(
    reply: str, prompt: GenerationPrompt, template: Template, pairs: int
) -> tuple[list[Item], list[_Problem]]:
    """``pairs`` items and problems together; what the model wrote beyond them is not looked at."""
    found = items_in(reply)[:pairs]
    items: list[Item] = []
    problems: list[_Problem] = []
    asked: set[str] = set()
    for number, value in enumerate(found, start=1):
        checked = _checked(value, prompt, template)
        if not isinstance(checked, _Problem) and normalised(checked.instruction) in asked:
            checked = _Problem("question asked before", "the instruction repeats another one")
        if isinstance(checked, _Problem):
            problems.append(_Problem(checked.reason, f"item {number}: {checked.detail}"))
        else:
            asked.add(normalised(checked.instruction))
            items.append(checked)
    if missing := pairs - len(found):
        reason = "missing from the reply" if found else "no JSON in the reply"
        problems += [_Problem(reason, "an item is missing, or is not JSON")] * missing
    return items, problems


def _checked(value: object, prompt: GenerationPrompt, template: Template) -> Item | _Problem:
    try:
        item = template.item.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "item"
        return _Problem(f"{where} is not valid", f"{where}: {first['msg']}")
    if isinstance(item, PreferenceItem):
        return _checked_preference(item, prompt)
    return item


def _checked_preference(item: PreferenceItem, prompt: GenerationPrompt) -> Item | _Problem:
    chosen = unwrapped(quoted(prompt.extract, item.chosen))
    if not chosen:
        shown = item.chosen[:_SHOWN_CHARS]
        return _Problem(
            "chosen is not in the extract",
            f'chosen is not in the extract word for word: "{shown}..."',
        )
    if alike(chosen, item.rejected):
        return _Problem("rejected is like chosen", "rejected says the same as chosen")
    return item.model_copy(update={"chosen": chosen})
