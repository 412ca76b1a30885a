"""`poe bench-chunking` counts what cleaning removes and what chunks and windows leave out."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from rag_llm_system.application.preprocessing.categories import CATEGORIES
from rag_llm_system.application.preprocessing.chunking_data_handlers import Piece
from tools.bench_chunking import boilerplate_rates, main, measured, scaled

WORDS = "word " * 300


def tokens(text: str) -> list[tuple[int, int]]:
    found, at = [], 0
    for word in text.split():
        at = text.index(word, at)
        found.append((at, at + len(word)))
        at += len(word)
    return found


@pytest.mark.parametrize("form", ["folder", "records"])
def test_a_dump_and_a_file_of_records_are_measured(tmp_path: Path, form: str) -> None:
    text = f"# Title\n\nSubscribe\n\n{WORDS}"
    if form == "folder":
        row = {"link": "https://a.example/1", "author_full_name": "A B", "content": {"text": text}}
        (tmp_path / "ArticleDocument.json").write_text(json.dumps([row]), encoding="utf-8")
        data = tmp_path
    else:
        data = tmp_path / "articles.jsonl"
        record = {"category": "articles", "link": "https://a.example/1", "text": text}
        data.write_text(json.dumps(record) + "\n", encoding="utf-8")

    result = CliRunner().invoke(main, ["--data", str(data)])

    assert result.exit_code == 0, result.output
    assert "articles: 1 documents" in result.output
    assert "1000-2000 chars" in result.output
    assert "100.00%" in result.output
    assert "0 of 302" in result.output  # the title is two tokens


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["--data", str(tmp_path / "absent")])
    assert result.exit_code == 2
    assert "absent: neither a folder with a dump nor a JSON-lines file" in result.output


def test_phrases_are_counted_by_text() -> None:
    before = ["Sign in\n\nSubscribe", "Subscribe. Subscribe!", "Nothing."]
    after = ["", "Subscribe. Subscribe!", "Nothing."]
    assert list(boilerplate_rates(before, after)) == [("Sign in", 1, 0), ("Subscribe", 2, 1)]


def test_a_chunker_that_loses_text_is_found_out() -> None:
    def first_half(text: str, *_: object) -> list[Piece]:
        return [Piece(0, len(text) // 2)]

    forgetful = replace(CATEGORIES["posts"], chunk=first_half)
    found = measured(forgetful, ["one two three four"], [""], tokens, 100)
    assert (found.tokens, found.lost_tokens) == (4, 2)
    assert (found.characters, found.uncovered) == (15, 8)


def test_sizes_scale_with_all_their_parts() -> None:
    size = scaled(CATEGORIES["repositories"].chunk_size, 0.5)
    assert (size.maximum, size.overlap) == (750, 50)
