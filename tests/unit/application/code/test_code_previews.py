"""A preview is the line by which a programmer knows a piece of code."""

import pytest

from rag_llm_system.application.code.previews import PREVIEW_CHARS, preview


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ('"""Login."""\n\nimport hmac\n\n\n@cached\ndef login(name: str) -> bool:\n', "def login(name: str) -> bool:"),
        ("# a remark\nLIMIT = 3\n\nclass Store(Base):\n", "class Store(Base):"),
        ('"""Words.\n\nMore words.\n"""\nfrom a import (\n    b,\n)\n\nLIMIT = 3\n', "LIMIT = 3"),
        ("/*\n * words\n more\n */\nlet a = 3\n", "let a = 3"),
        ("import a\n\nLIMIT = 3\n", "LIMIT = 3"),
        ("// a remark\nexport async function save(file) {\n", "export async function save(file) {"),
        ("use std::fmt;\n\npub(crate) fn save() {}\n", "pub(crate) fn save() {}"),
        ('#include <a.h>\n\nstatic int save(const char *path) {\n  return 1;\n', "static int save(const char *path) {"),
        ("    if (open) {\n    save(file)\n    }\n    close(file) {\n", "close(file) {"),
        ("type = 3\nclass_of = 4\n", "type = 3"),
        ("# only\n# remarks\n", "# only"),
        ("\n  \n", ""),
    ],
)  # fmt: skip
def test_a_signature_is_shown_or_else_what_says_something(code: str, line: str) -> None:
    assert preview(code) == line


def test_a_long_line_is_cut() -> None:
    shown = preview(f"def f({'a, ' * 100}):")
    assert len(shown) == PREVIEW_CHARS
    assert shown.endswith("…")
