"""The context of lines: the imports that they use, and what they stand in."""

import pytest

from rag_llm_system.application.code.context_lines import MAX_LINE_CHARS, context_lines

# language: text, the line that is asked for, and its context
CASES = {
    "python": (
        "from __future__ import annotations\n\nimport os.path\nimport numpy as np\nfrom a.b import (\n    used,  # y\n"
        "    unused,\n)\n\n\n@decorated(used)\nclass Store(\n    Base,\n):  # kept\n    x = 1\n\n    def save(self):\n"
        "        return used(os.getcwd(), np)\n",
        18,
        ["import os.path", "import numpy as np", "from a.b import used", "class Store( Base, ):", "def save(self):"],
    ),
    "javascript": (
        "import { used, other } from './a.js';\nimport unused from 'b';\n\nexport class Store extends Base {\n"
        "  save(x) {\n    return used(x);\n  }\n}\n",
        6,
        ["import { used, other } from './a.js';", "class Store extends Base", "save(x)"],
    ),
    "go": (
        'package a\n\nimport (\n\t"fmt"\n\tl "log"\n\t"net/http"\n)\n\nfunc (s *Store) Save() error {\n'
        '\tif true {\n\t\tl.Print(http.Get("x"))\n\t}\n\treturn nil\n}\n',
        11,
        ['l "log"', '"net/http"', "func (s *Store) Save() error"],
    ),
    "java": (
        "import java.util.List;\nimport java.util.Map;\n\nclass Store extends Base {\n  int save() {\n"
        "    List<Integer> x;\n    return 1;\n  }\n}\n",
        6,
        ["import java.util.List;", "class Store extends Base", "int save()"],
    ),
    "rust": (
        "use std::io::{Read, Write};\nuse std::fmt;\n\nimpl Keep for Store {\n    fn save(&self) {\n"
        "        let x: Read;\n        go(x)\n    }\n}\n",
        6,
        ["use std::io::{Read, Write};", "impl Keep for Store", "fn save(&self)"],
    ),
    "": ("import a\n\nx = a\n", 3, []),
}  # fmt: skip


@pytest.mark.parametrize("language", CASES)
def test_lines_are_told_with_their_imports_and_what_is_around_them(language: str) -> None:
    text, line, expected = CASES[language]

    assert context_lines(text, language, line, line) == expected


def test_what_the_lines_show_themselves_is_left_out() -> None:
    text, _, _ = CASES["python"]

    assert context_lines(text, "python", 1, 18) == []


def test_the_context_of_a_whole_function_is_the_class_it_is_in() -> None:
    text = "class A:\n    x = 1\n\n    def one(self):\n        return 1\n"

    assert context_lines(text, "python", 4, 5) == ["class A:"]


def test_a_line_of_context_is_cut_where_it_is_too_long() -> None:
    names = ", ".join(f"name_{n}" for n in range(60))
    text = f"from a import {names}\n\n\ndef one({names}):\n    x = 1\n    return [{names}]\n"

    found = context_lines(text, "python", 6, 6)

    assert [len(line) for line in found] == [MAX_LINE_CHARS, MAX_LINE_CHARS]


def test_an_import_within_a_function_is_no_context() -> None:
    text = "def one():\n    import os\n    x = 1\n    return os\n"

    assert context_lines(text, "python", 4, 4) == ["def one():"]


@pytest.mark.parametrize("lines", [(0, 0), (9, 12), (3, 2)])
def test_lines_that_are_not_there_have_no_context(lines: tuple[int, int]) -> None:
    assert context_lines("import a\nx = a\n", "python", *lines) == []


def test_broken_code_has_some_context_and_never_fails() -> None:
    assert "import a" in context_lines("import a\n\ndef f(:\n    x = (a\n", "python", 4, 4)
