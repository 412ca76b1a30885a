"""Names of code are told from words: by how they are written."""

import pytest

from rag_llm_system.application.code.named import Named, named_in


@pytest.mark.parametrize(
    ("question", "symbols"),
    [
        ("where is max_tokens bounded?", ("max_tokens",)),
        ("What is MIN_EVIDENCE, and what is __init__?", ("MIN_EVIDENCE", "__init__")),
        ("What does CodeMiner.mine_all give?", ("CodeMiner.mine_all",)),
        ("getElementById or HTTPServer?", ("getElementById", "HTTPServer")),
        ("What does save() do?", ("save",)),
        ("How does `run` differ from `Store.save(path)`?", ("run", "Store.save")),
        ("Who calls Store::load and std::move?", ("Store.load", "std.move")),
        ("How does authentication work?", ()),
        ("Run the tests. Get it, e.g. now, i.e. at 3.5 s", ()),
        ("see https://a.example/max_tokens/x", ()),
    ],
)
def test_what_is_written_as_only_code_is_a_name(question: str, symbols: tuple[str, ...]) -> None:
    assert named_in(question).symbols == symbols


def test_a_capital_within_a_sentence_may_be_a_class() -> None:
    assert named_in("Who uses Answering? Nobody uses Store.").perhaps == ("Answering", "Store")
    assert named_in("Store.save runs on Apple.Silicon").perhaps == (
        "Store.save",
        "Apple.Silicon",
    )


@pytest.mark.parametrize(
    ("question", "files"),
    [
        ("What is in auth.py?", ("auth.py",)),
        ("Compare ./src/auth.py with `lib/a-b.test.ts`.", ("src/auth.py", "lib/a-b.test.ts")),
        ("What is max.limit, and what is example.com?", ()),
    ],
)
def test_files_have_a_known_ending(question: str, files: tuple[str, ...]) -> None:
    assert named_in(question).files == files


def test_of_many_names_the_last_ones_are_looked_for() -> None:
    assert named_in(" ".join(f"name_{n}" for n in range(20))).symbols[-1] == "name_19"
    assert len(named_in(" ".join(f"name_{n}" for n in range(20))).symbols) == 8


def test_a_question_without_a_name_has_none() -> None:
    assert not named_in("how are passwords stored?")
    assert named_in("max_tokens") == Named(symbols=("max_tokens",))
