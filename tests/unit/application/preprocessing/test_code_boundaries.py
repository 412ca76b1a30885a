"""Code is cut at its definitions, whatever the language, and however strange the file."""

import re
import time
from itertools import pairwise

import pytest

from rag_llm_system.application.preprocessing.chunking_data_handlers import (
    Piece,
    Tokens,
    by_code,
    by_definition,
)
from rag_llm_system.application.preprocessing.code_boundaries import GRAMMARS, outline_of

FILES = {
    "bash": ("# doc\nsave() {\n  echo 1\n}\n", "save", "# doc"),
    "c": ("/* doc */\nint *save(int a)\n{\n  return 0;\n}\n", "save", "/* doc */"),
    "cpp": (
        "namespace n {\nclass Store {\n  // doc\n  int save() {\n    return 1;\n  }\n};\n}\n",
        "n.Store.save",
        "  // doc",
    ),
    "csharp": (
        "class Store\n{\n    /// doc\n    [Fact]\n    public int Save()\n    {\n        return 1;\n    }\n}\n",
        "Store.Save",
        "    /// doc",
    ),
    "go": ("// doc\nfunc (s *Store[T]) Save() error {\n\treturn nil\n}\n", "Store.Save", "// doc"),
    "java": (
        "class Store {\n    /** doc */\n    @Override\n    int save() {\n        return 1;\n    }\n}\n",
        "Store.save",
        "    /** doc */",
    ),
    "javascript": (
        "/** doc */\nexport const save = (x) => {\n  return x;\n};\n",
        "save",
        "/** doc */",
    ),
    "php": (
        "<?php\nclass Store {\n  /** doc */\n  public function save() {\n    return 1;\n  }\n}\n",
        "Store.save",
        "  /** doc */",
    ),
    "python": (
        "class Store:\n    # doc\n    @cached(\n        1,\n    )\n    def save(self):\n        return 1\n",
        "Store.save",
        "    # doc",
    ),
    "ruby": (
        "module A\n  class Store\n    # doc\n    def save\n      1\n    end\n  end\nend\n",
        "A.Store.save",
        "    # doc",
    ),
    "rust": (
        "impl<T> Keep for Store<T> {\n    /// doc\n    #[inline]\n    fn save(&self) {\n        1\n    }\n}\n",
        "Store.save",
        "    /// doc",
    ),
    "shell": ("function save {\n  echo 1\n}\n", "save", "function"),
    "typescript": (
        "namespace N {\n  class Store<T> {\n    /** doc */\n    @Dec()\n    save(x: T): T {\n      return x;\n    }\n"
        "  }\n}\n",
        "N.Store.save",
        "    /** doc */",
    ),
}


SIGNATURES = {
    "bash": "save()",
    "c": "int *save(int a)",
    "cpp": "int save()",
    "csharp": "[Fact] public int Save()",
    "go": "func (s *Store[T]) Save() error",
    "java": "@Override int save()",
    "javascript": "save = (x) =>",
    "php": "public function save()",
    "python": "def save(self):",
    "ruby": "def save",
    "rust": "fn save(&self)",
    "shell": "function save",
    "typescript": "save(x: T): T",
}


def words(text: str) -> list[tuple[int, int]]:
    return [m.span() for m in re.finditer(r"\w+|[^\w\s]", text)]


def cut(text: str, maximum: int, language: str, overlap: int = 0) -> list[Piece]:
    return list(by_code(text, Tokens(maximum, overlap), words, language))


@pytest.mark.parametrize("language", FILES)
def test_what_a_line_stands_in_is_told_by_its_signatures(language: str) -> None:
    text, symbol, _ = FILES[language]
    outline = outline_of(text, language)
    assert outline is not None
    body = max(
        at
        for at, line in enumerate(text.split("\n"))
        if "1" in line or "x;" in line or "return" in line
    )

    around = outline.around((outline.lines[body], outline.lines[body + 1]))

    assert around[-1] == SIGNATURES[language]
    assert len(around) == len(symbol.split(".")) - (language == "go")


def test_every_grammar_has_a_file_here() -> None:
    assert set(FILES) == set(GRAMMARS)


@pytest.mark.parametrize("language", FILES)
def test_a_definition_has_its_path_and_the_lines_above_it(language: str) -> None:
    text, symbol, first_line = FILES[language]
    outline = outline_of(text, language)
    assert outline is not None
    named = [block for block in outline.blocks if block.name][-1]
    span = (outline.lines[named.first], outline.lines[named.last + 1])
    assert outline.symbol(span) == symbol
    assert text[slice(*span)].startswith(first_line)


def function(name: str, lines: int) -> str:
    body = "".join(f"    x{n} = {n}\n" for n in range(lines))
    return f"# about {name}\n@decorated\ndef {name}():\n{body}"


def test_functions_stay_whole_with_what_belongs_to_them() -> None:
    functions = [function(f"f{n}", 5) for n in range(8)]
    text = "import os\n\n\n" + "\n\n".join(functions)
    pieces = cut(text, 70, "python")
    chunks = [text[piece.start : piece.end] for piece in pieces]
    assert 1 < len(chunks) < 8
    assert all(any(f.strip() in chunk for chunk in chunks) for f in functions)
    assert {piece.symbol for piece in pieces} <= {f"f{n}" for n in range(8)}


def test_a_class_that_does_not_fit_is_cut_at_its_methods() -> None:
    methods = [f"    def m{n}(self):\n        return {n} + {n}\n" for n in range(6)]
    text = 'class Store:\n    """Keeps."""\n\n' + "\n".join(methods)
    pieces = cut(text, 15, "python")
    chunks = [text[piece.start : piece.end] for piece in pieces]
    assert all(any(m.strip() in chunk for chunk in chunks) for m in methods)
    assert [piece.symbol for piece in pieces] == ["Store", *(f"Store.m{n}" for n in range(6))]


def test_a_function_that_does_not_fit_is_cut_at_statements_and_repeats_lines() -> None:
    text = function("long", 60) + "\n\n" + function("after", 2)
    pieces = cut(text, 60, "python", overlap=12)
    chunks = [text[piece.start : piece.end] for piece in pieces]
    assert all(chunk.startswith(("# about", "    x")) for chunk in chunks)
    repeated = [text[b.start : a.end] for a, b in pairwise(pieces) if b.start < a.end]
    assert len(repeated) == len(pieces) - 2
    assert all(0 < len(words(lines)) <= 12 for lines in repeated)
    assert [piece.symbol for piece in pieces] == ["long"] * (len(pieces) - 1) + ["after"]


def test_a_file_with_errors_is_covered_and_its_functions_found() -> None:
    text = "def a():\n    return = 1\n\n\nclass B:\n    def c(self):\n        return 2\n\n}} ((\n"
    pieces = cut(text, 12, "python")
    covered = "".join(text[piece.start : piece.end] for piece in pieces)
    assert "".join(covered.split()) == "".join(text.split())
    assert {"a", "B"} <= {piece.symbol for piece in pieces}


def test_a_header_of_cpp_that_says_c_is_read_as_cpp() -> None:
    outline = outline_of("class Store {\n public:\n  int save();\n};\n", "c")
    assert outline is not None
    assert outline.blocks[0].name == "Store"


def test_typescript_may_hold_elements() -> None:
    outline = outline_of("function App() {\n  return <div>{1}</div>;\n}\n", "typescript")
    assert outline is not None
    assert outline.blocks[0].name == "App"


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_language_without_a_grammar_is_cut_at_its_separators(ending: str) -> None:
    text = ending.join(f"fun f{n}() {{{ending}  return {n}{ending}}}{ending}" for n in range(9))
    pieces = cut(text, 20, "kotlin")
    assert all(text[piece.start : piece.end].startswith("fun") for piece in pieces)
    assert outline_of(text, "kotlin") is None


def test_documentation_is_cut_at_headings_and_knows_its_path() -> None:
    text = "# A\n\n" + "word " * 30 + "\n\n## B\n\n" + "word " * 30 + "\n\n```\n# c\n```\n"
    pieces = cut(text, 50, "markdown")
    assert [piece.headings for piece in pieces] == [("A",), ("A", "B")]
    rst = "A\n=\n\n" + "word " * 30 + "\n\nB\n-\n\n" + "word " * 30
    assert [piece.headings for piece in cut(rst, 50, "rst")] == [("A",), ("A", "B")]


HOSTILE = {
    "deep brackets": ("python", "[\n" * 50_000),
    "deep brackets on a line": ("javascript", "[" * 100_000),
    "nested functions": ("python", "".join(" " * n + "def f():\n" for n in range(300))),
    "nested blocks": ("c", "if (a) {\n" * 20_000),
    "one long line": ("javascript", "var a=function(b){return b+1};" * 10_000),
    "a long sum": ("java", 'class A { String s = "a"\n' + '+ "b"\n' * 20_000 + "; }"),
    "comments": ("go", "// a\n" * 30_000),
    "decorators": ("python", "@a\n" * 20_000 + "def f(): pass"),
    "no code": ("cpp", "The quick brown fox, doesn't it?\n" * 5_000),
    "lone surrogates": ("python", "x = '\ud83d'\n" * 1_000),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_covered_in_seconds(name: str) -> None:
    language, text = HOSTILE[name]
    began = time.process_time()
    pieces = cut(text, 1500, language, overlap=100)
    assert time.process_time() - began < 20
    covered = set()
    for piece in pieces:
        covered.update(range(piece.start, piece.end))
    assert all(text[at].isspace() for at in set(range(len(text))) - covered)
    assert max(len(words(text[piece.start : piece.end])) for piece in pieces) <= 1500


def test_only_chunks_of_code_bases_tell_what_begins_in_them_and_what_is_around() -> None:
    text, _, _ = FILES["python"]
    size = Tokens(100, 0)

    [of_repository] = by_code(text, size, words, "python")
    [of_code_base] = by_definition(text, size, words, "python")

    assert (of_repository.symbols, of_repository.around) == ((), None)
    assert (of_code_base.symbols, of_code_base.around) == (("Store", "Store.save", "save"), ())
    assert of_repository == of_code_base._replace(symbols=(), around=None)
