"""The extractive answer: whole sentences, word for word, that are understood without their surroundings."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_llm_system.application.rag.extractive import PREAMBLE, ExtractiveWriter
from rag_llm_system.application.rag.quotable import definitions, excerpt, remarks, sentences
from rag_llm_system.domain.answers import ContextChunk
from rag_llm_system.infrastructure.embedders.hashing import HashingEmbedder
from tests.unit.application.rag.retrieved import chunk

TEXT = """## Stopping

The embedded server stops when the last process that uses it ends. It is never left behind, not even after a crash.

```python
server.stop()  # not a sentence to quote.
```

Bread needs flour and water and a lot of time."""

PYTHON = '''import os


class Server:
    """Answers questions about the stores. It stops by itself.

    Each process that uses it holds a lock.
    """

    # The lock is freed by the operating system, whatever ends the process.
    def stop(self):
        self.lock.release()
'''


def answer(question: str, *passages: ContextChunk) -> list[str]:
    """Lines below the preamble; none where there is no answer."""
    written = "".join(ExtractiveWriter(HashingEmbedder(dimension=512)).write(question, passages))
    assert not written or written.startswith(f"{PREAMBLE}\n")
    return written.split("\n")[1:]


def texts(markdown: str) -> list[str]:
    return [sentence.text for sentence in sentences(markdown)]


def test_the_sentence_that_answers_is_quoted_with_its_source() -> None:
    [line] = answer("When does the embedded server stop?", chunk(1, TEXT))
    assert line.startswith("- The embedded server stops when the last process that uses it ends.")
    assert line.endswith(" [1]")


def test_a_source_without_anything_to_quote_gives_no_answer() -> None:
    assert answer("What?", chunk(1, "# A heading\n\na fragment without an end")) == []


def test_the_same_sentence_of_two_sources_is_quoted_once() -> None:
    text = "The server stops by itself when nobody uses it."
    assert answer("When does the server stop?", chunk(1, text), chunk(2, text)) == [f"- {text} [1]"]


def test_what_depends_on_the_sentence_before_is_quoted_with_it() -> None:
    text = "Nobody ends the server by hand. It stops when its last client is gone."
    [line] = answer("When does it stop, and is its last client gone?", chunk(1, text))
    assert line == f"- {text} [1]"


def test_what_depends_on_something_that_is_not_there_is_not_quoted() -> None:
    assert (
        answer("When does it stop?", chunk(1, "This stops it when the last client is gone.")) == []
    )


def test_a_list_is_quoted_below_the_line_that_announces_it() -> None:
    text = "Sampling has two steps:\n\n1. Choose the neighbours;\n2. Average them."
    assert answer("Which steps has sampling?", chunk(1, text)) == [
        "- Sampling has two steps: [1]",
        "  - Choose the neighbours;",
        "  - Average them.",
    ]


def test_code_is_quoted_where_it_is_asked_for() -> None:
    text = "To move, copy everything:\n\n```sh\npoe migrate --to faiss\n```\n\nA copy takes a while to make."
    lines = answer("How do I copy everything?", chunk(1, text))
    assert lines[:4] == [
        "- To move, copy everything: [1]",
        "  ```",
        "  poe migrate --to faiss",
        "  ```",
    ]
    assert not any("poe migrate" in line for line in answer("What takes a copy?", chunk(1, text)))


def test_of_a_file_the_lines_that_matched_are_quoted_with_their_place() -> None:
    at = PYTHON.index("    def stop")
    file = chunk(
        1, PYTHON, source_file="server.py", language="python", start_line=1, end_line=12,
        window=(at, len(PYTHON)),
    )  # fmt: skip
    lines = answer("stop the lock release", file)
    assert lines[:5] == [
        "- server.py:11-12 [1]",
        "  ```python",
        "  def stop(self):",
        "      self.lock.release()",
        "  ```",
    ]


SHOP = '''"""Selling things."""

import json

LIMIT_CENTS = 5_000


class Cart:
    """What somebody is about to buy."""

    @property
    def total(self):
        # The total has no shipping in it.
        return sum(self.prices)


def sell(
    cart,
) -> None:
    """Take the money for a cart."""
    charge(cart.total)


if __name__ == "__main__":
    sell(Cart())
'''
SHOP_FILE = {"source_file": "shop.py", "language": "python", "start_line": 1, "end_line": 23}


def test_of_a_file_whole_definitions_are_quoted_with_their_lines() -> None:
    lines = answer("Who takes the money for a cart?", chunk(1, SHOP, **SHOP_FILE))
    assert lines[:7] == [
        "- shop.py:17-21 [1]",
        "  ```python",
        "  def sell(",
        "      cart,",
        "  ) -> None:",
        '      """Take the money for a cart."""',
        "      charge(cart.total)",
    ]
    assert not any(line.startswith("- Take the money") for line in lines)


def test_a_remark_says_where_it_stands() -> None:
    remark = '"""The shop is closed on every Sunday."""\n\n\ndef sell(cart):\n    charge(cart)\n'
    lines = answer("When is the shop closed?", chunk(1, remark, **SHOP_FILE))
    assert lines == ["- The shop is closed on every Sunday. (shop.py:1) [1]"]


def test_definitions_begin_at_their_decorations_and_end_where_they_are_left() -> None:
    found = {line: text.split("\n") for line, text in definitions(SHOP)}
    assert {line: (text[0], len(text)) for line, text in found.items()} == {
        4: ("LIMIT_CENTS = 5_000", 1),
        7: ("class Cart:", 2),
        10: ("@property", 4),
        16: ("def sell(", 5),
    }


@pytest.mark.parametrize(
    "code",
    [
        "export class Cart extends Base {\n  x = 1;\n}",
        "const add = (a, b) => {\n  return a + b;\n}",
        "pub fn save(&self) -> Result<()> {\n    Ok(())\n}",
        "func (s *Store) Save(name string) error {\n\treturn nil\n}",
        "static int save(const char *path) {\n  return 1;\n}",
        "def save\n  write\nend",
    ],
)
def test_definitions_are_known_in_many_languages(code: str) -> None:
    assert definitions(f"x()\n{code}\nx()\n") == [(1, code)]


def test_a_condition_is_no_definition() -> None:
    assert definitions("if (a) {\n  b()\n}\nwhile (c) {\n}\nreturn f(x)\n") == []


def test_sentences_of_one_source_keep_their_order_and_neighbours_are_quoted_together() -> None:
    text = (
        "A store keeps vectors of chunks.\n\nBread needs flour and time.\n\n"
        "A filter narrows what a store finds. Stores apply a filter inside the search of vectors."
    )
    lines = answer("What do a filter and a store of vectors keep and find?", chunk(1, text))
    assert lines == [
        "- A store keeps vectors of chunks. [1]",
        "- A filter narrows what a store finds. Stores apply a filter inside the search of vectors. [1]",
    ]


def test_quotes_that_stand_next_to_each_other_are_one() -> None:
    text = "The store keeps red vectors. The store keeps blue vectors. The store keeps big vectors."
    assert answer("Which vectors does the store keep?", chunk(1, text)) == [f"- {text} [1]"]


def test_an_answer_has_four_quotes_at_most() -> None:
    sizes = ("small", "old", "new", "odd", "big", "red")
    text = "\n\n".join(f"The store keeps {size} vectors." for size in sizes)
    assert len(answer("Which vectors does the store keep?", chunk(1, text))) == 4


def test_a_definition_is_preferred_to_a_mention() -> None:
    text = "Every chunk has a window or two.\n\nA window is what one vector stands for."
    assert answer("What is a window?", chunk(1, text))[-1] == (
        "- A window is what one vector stands for. [1]"
    )


def test_headings_and_code_are_no_sentences() -> None:
    found = sentences(TEXT)
    assert [s.text for s in found if s.kind == "prose"] == [
        "The embedded server stops when the last process that uses it ends.",
        "It is never left behind, not even after a crash.",
        "Bread needs flour and water and a lot of time.",
    ]
    assert {s.heading for s in found} == {"Stopping"}


def test_tables_and_pictures_end_a_paragraph_and_are_not_quoted() -> None:
    text = (
        "A store keeps vectors of chunks.\n| Store | Port |\n|---|---|\n| Edge | none |\n"
        "A filter narrows what is found.\n![A picture of a store.](store.svg)"
    )
    assert texts(text) == ["A store keeps vectors of chunks.", "A filter narrows what is found."]


def test_code_that_is_too_long_for_an_answer_is_left_out() -> None:
    lines = "\n".join(f"x = {n}" for n in range(30))
    assert texts(f"The values of x are all of these.\n\n```\n{lines}\n```") == [
        "The values of x are all of these."
    ]


def test_items_are_sentences_of_their_own() -> None:
    text = (
        "- The server stops by itself.\n\\- Bread needs flour.\n2\\. Water is wet.\n→ Time flies."
    )
    assert texts(text) == [
        "The server stops by itself.",
        "Bread needs flour.",
        "Water is wet.",
        "Time flies.",
    ]
    assert {s.kind for s in sentences(text)} == {"item"}


def test_a_question_is_a_heading_of_what_follows() -> None:
    [found] = sentences("How does the server stop? By itself, when nobody uses it.")
    assert (found.text, found.heading) == (
        "By itself, when nobody uses it.",
        "How does the server stop?",
    )


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("A **store** keeps _vectors_ , and *more* of them.", "A store keeps vectors, and more of them."),
        ("See [the docs](http://a.example) for all of it.", "See the docs for all of it."),
        ("ReAct [2] is a way of building agents.", "ReAct is a way of building agents."),
        ("Names such as `a_b_c` and x_1 stay as they are.", "Names such as `a_b_c` and x_1 stay as they are."),
        ("As Frantar et al. Show in Fig. 3, it works.", "As Frantar et al. Show in Fig. 3, it works."),
        ("> A quotation of more than one word.", "A quotation of more than one word."),
    ],
)  # fmt: skip
def test_a_sentence_is_quoted_without_its_marks(markdown: str, text: str) -> None:
    assert " ".join(texts(markdown)) == text


def test_of_a_program_its_remarks_are_sentences() -> None:
    assert [s.text for s in remarks(PYTHON)] == [
        "Answers questions about the stores.",
        "Each process that uses it holds a lock.",
        "The lock is freed by the operating system, whatever ends the process.",
    ]


def test_an_excerpt_has_whole_lines_and_an_end() -> None:
    code = "\n".join(f"    line {n}" for n in range(100))
    lines = excerpt(code, code.index("ne 7")).split("\n")
    assert (lines[0], len(lines)) == ("line 7", 15)


WORDS = st.sampled_from(
    [
        "The server", "stops", "by itself", "It waits", "- a", "```", "# b", ".", ":", "?", "!",
        "\n", "\n\n", "[1]", "**", "1. ",
    ]
)  # fmt: skip


@given(st.lists(WORDS, max_size=60), st.text(max_size=30))
def test_every_quote_is_in_its_source_word_for_word(parts: list[str], question: str) -> None:
    text = " ".join(parts)

    def bare(markdown: str) -> str:
        return re.sub(r"[\W_]+", "", re.sub(r"\[\d+\]", "", markdown))

    for line in answer(question, chunk(1, text)):
        assert bare(line) in bare(text)
