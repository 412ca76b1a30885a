"""Languages are read from names, and from the first line of scripts."""

import pytest

from rag_llm_system.application.code.languages import language_of


@pytest.mark.parametrize(
    ("path", "language"),
    [
        ("src/a.py", "python"),
        ("src/A.PY", "python"),
        ("a.test.tsx", "typescript"),
        ("a.mjs", "javascript"),
        ("docker/Dockerfile", "dockerfile"),
        ("Dockerfile.dev", "dockerfile"),
        ("Makefile", "make"),
        ("CMakeLists.txt", "cmake"),
        ("README", "text"),
        (".py", ""),
        ("a.unknown", ""),
        ("a", ""),
    ],
)
def test_by_the_name(path: str, language: str) -> None:
    assert language_of(path) == language


@pytest.mark.parametrize(
    ("line", "language"),
    [
        ("#!/bin/sh", "shell"),
        ("#! /usr/local/bin/python3.11 -u", "python"),
        ("#!/usr/bin/env node", "javascript"),
        ("#!/usr/bin/env -S LANG=C deno run", "typescript"),
        ("#!/opt/own/interpreter", ""),
        ("#!", ""),
        ("#!/usr/bin/env", ""),
        ("# python", ""),
    ],
)
def test_by_the_first_line(line: str, language: str) -> None:
    assert language_of("run", line) == language


def test_the_name_counts_more_than_the_first_line() -> None:
    assert language_of("a.py", "#!/bin/sh") == "python"
