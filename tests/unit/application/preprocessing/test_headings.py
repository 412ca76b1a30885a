"""A place in a text lies below a path of headings, which code never adds to."""

import pytest

from rag_llm_system.application.preprocessing.headings import Headings

MARKDOWN = """# A

Text.

## B [link](https://b.example) **bold** ##

```sh
# not a heading
```

    # nor this

#### D

Setext
------

end
"""


@pytest.mark.parametrize(
    ("place", "path"),
    [
        ("# A", ("A",)),
        ("Text.", ("A",)),
        ("## B", ("A", "B link bold")),
        ("# not", ("A", "B link bold")),
        ("# nor", ("A", "B link bold")),
        ("#### D", ("A", "B link bold", "D")),
        ("end", ("A", "Setext")),
    ],
)
def test_the_path_above_a_place(place: str, path: tuple[str, ...]) -> None:
    assert Headings(MARKDOWN).above(MARKDOWN.index(place)) == path


def test_nothing_is_above_the_first_heading() -> None:
    assert Headings("Before.\n\n# A").above(0) == ()


def test_the_styles_of_restructured_text_are_levels_in_their_order() -> None:
    text = "=====\nTitle\n=====\n\nOne\n===\n\ntext\n\nTwo\n---\n\nlast\n\nThree\n=====\n"
    headings = Headings(text, rst=True)
    assert headings.above(text.index("text")) == ("Title", "One")
    assert headings.above(text.index("last")) == ("Title", "One", "Two")
    assert headings.above(len(text)) == ("Title", "Three")
    assert headings.starts[0] == 0


def test_a_rule_and_a_table_are_no_headings() -> None:
    text = "A sentence.\n\n---\n\na | b\n---|---\n1 | 2\n\nlong\nparagraph\n---\n"
    assert Headings(text).starts == []


def test_a_heading_without_end_is_cut() -> None:
    assert len(Headings("# " + "x" * 100_000).above(0)[0]) == 200
