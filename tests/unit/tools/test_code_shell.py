"""The prompt of the code assistant: questions, commands, and a conversation that goes on after what fails."""

import io
import signal
import sys
from collections.abc import AsyncGenerator, Iterator

import pytest

from rag_llm_system.application.code.category import CODE
from rag_llm_system.application.code.query_engine import CodeQueryEngine
from rag_llm_system.application.rag.budget import Budget
from rag_llm_system.application.rag.follow_up import RuleFollowUps
from rag_llm_system.application.rag.writers import LLMWriter
from rag_llm_system.domain.answers import Context
from rag_llm_system.domain.documents import document_id
from rag_llm_system.domain.errors import BackendError
from rag_llm_system.domain.ports import CollectionSpec, Record
from rag_llm_system.domain.queries import Query
from rag_llm_system.infrastructure.llms.scripted import ScriptedLLM
from rag_llm_system.infrastructure.tracing.off import OffTracer
from rag_llm_system.infrastructure.vector_stores.memory import MemoryVectorStore
from tests.unit.application.rag.retrieved import chunk
from tools.code.shell import Shell, lines_of

LOGIN = "@audited\ndef login(name, password):\n    return verify(name, password)\n"


class Gives:
    """A retriever that finds the login, and fails when it is asked about the moon."""

    def __init__(self) -> None:
        self.asked: list[tuple[Query, int]] = []

    def retrieve(self, query: Query, k: int, *, self_query: bool, budget: Budget) -> Context:
        self.asked.append((query, k))
        if "moon" in query.text:
            raise BackendError("the store does not answer")
        place = {"source_file": "src/auth.py", "start_line": 3, "end_line": 5, "symbol": ""}
        return Context(chunks=[chunk(1, LOGIN, category="code", language="python", **place)])


def typed(*lines: str, llm: ScriptedLLM | None = None, **options: int | str | None) -> Gives:
    """What was looked for when somebody typed these lines."""
    gives, store = Gives(), MemoryVectorStore()
    store.ensure(CODE.cleaned_collection, CollectionSpec())
    files = (("site", "src/auth.py"), ("site", "README.md"), ("app", "main.go"))
    store.upsert(
        CODE.cleaned_collection,
        [
            Record(
                id=document_id(CODE.name, f"{name}:{path}"),
                payload={"author_full_name": name, "title": path},
            )
            for name, path in files
        ],
    )
    writer = LLMWriter(llm or ScriptedLLM(["It is checked [1]."] * 9), max_tokens=50, temperature=0)
    engine = CodeQueryEngine(gives, writer, OffTracer(), follow_up=RuleFollowUps())
    Shell(engine, store, **options).run(lines)  # type: ignore[arg-type]
    return gives


def test_a_line_is_a_question(capsys: pytest.CaptureFixture[str]) -> None:
    gives = typed("", "  How does the login work? ")
    shown = capsys.readouterr().out
    assert [query.text for query, _ in gives.asked] == ["How does the login work?"]
    assert shown.startswith("It is checked [1].\n")
    assert "  1. src/auth.py:3-5 (similarity 0.80)\n     def login(name, password):\n" in shown


def test_what_was_said_before_counts_until_a_new_conversation() -> None:
    asked = ("How does the login of users work?", "And of guests?", ":new", "And of guests?")
    first, second, third = (query.text for query, _ in typed(*asked).asked)
    assert first == asked[0]
    assert "login" in second
    assert third == "And of guests?"


def test_code_is_searched_without_an_answer(capsys: pytest.CaptureFixture[str]) -> None:
    typed(":search login", llm=ScriptedLLM([]))
    assert capsys.readouterr().out == (
        "  1. src/auth.py:3-5 (similarity 0.80)\n     def login(name, password):\n"
    )


def test_files_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    typed(":files", ":files AUTH")
    assert capsys.readouterr().out == (
        "  README.md\n  main.go\n  src/auth.py\n3 files\n  src/auth.py\n1 files\n"
    )


def test_one_code_base_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    gives = typed(":files", "Where is it?", repository="app")
    assert capsys.readouterr().out.startswith("  main.go\n1 files\n")
    assert gives.asked[0][0].where == {"repository": "app"}


def test_how_many_chunks_are_retrieved_can_be_changed(capsys: pytest.CaptureFixture[str]) -> None:
    gives = typed(":k", ":search a", ":k 3", ":search a", ":k many", k=5)
    assert [k for _, k in gives.asked] == [5, 3]
    assert capsys.readouterr().err == (
        "5 chunks are retrieved; :k N changes that\n3 chunks are retrieved; :k N changes that\n"
    )


@pytest.mark.parametrize("line", [":quit", ":q", ":exit"])
def test_it_ends_where_it_is_told_to(line: str) -> None:
    assert typed(line, "How?").asked == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (":dance", "unknown command :dance; :help shows those there are"),
        (":search", "what is to be searched? :search TEXT"),
        (":search moon", "error: the store does not answer"),
        ("Where is the moon?", "error: the store does not answer"),
    ],
)
def test_what_fails_is_one_line_and_the_next_is_read(
    capsys: pytest.CaptureFixture[str], line: str, said: str
) -> None:
    typed(line, ":help")
    shown = capsys.readouterr()
    assert shown.err == f"{said}\n"
    assert ":search TEXT" in shown.out


class Interrupted(ScriptedLLM):
    """Somebody presses Ctrl-C while it writes."""

    def astream(self, *_: object, **_more: object) -> AsyncGenerator[str]:
        return self._broken_off()

    async def _broken_off(self) -> AsyncGenerator[str]:
        yield "It is [1] "
        signal.raise_signal(signal.SIGINT)
        yield "checked."


def test_ctrl_c_stops_an_answer_and_not_the_conversation(
    capsys: pytest.CaptureFixture[str],
) -> None:
    gives = typed("How does the login work?", "Why?", llm=Interrupted([]))
    shown = capsys.readouterr()
    assert "checked" not in shown.out
    assert shown.err == "stopped\nstopped\n"
    assert len(gives.asked) == 2


def test_lines_come_through_a_pipe(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = io.TextIOWrapper(io.BytesIO(b"How?\n\xff\n:quit"), encoding="utf-8")
    monkeypatch.setattr(sys, "stdin", given)
    assert list(lines_of("code> ")) == ["How?", "\ufffd", ":quit"]
    assert capsys.readouterr().out == ""


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_somebody_who_types_sees_a_prompt_and_may_begin_a_line_anew(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers: Iterator[str | type[BaseException]] = iter(["How?", KeyboardInterrupt, EOFError])

    def reading(prompt: str) -> str:
        assert prompt == "code> "
        answer = next(answers)
        if isinstance(answer, str):
            return answer
        raise answer

    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr("builtins.input", reading)
    assert list(lines_of("code> ")) == ["How?"]
    assert capsys.readouterr().out == "\n\n"
