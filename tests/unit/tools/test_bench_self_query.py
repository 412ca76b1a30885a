"""The benchmark of self-query says what it measured."""

import gzip
import json
from pathlib import Path

from click.testing import CliRunner

from tools.bench_self_query import main


def test_the_time_of_a_question_is_printed_with_what_was_known(tmp_path: Path) -> None:
    films = tmp_path / "films.jsonl.gz"
    with gzip.open(films, "wt", encoding="utf-8") as file:
        file.write(json.dumps({"genres": ["Heist"], "cast": ["Nobody Known"]}))
    ended = CliRunner().invoke(main, ["--movies", str(films)])
    assert ended.exit_code == 0, ended.output
    assert "author_full_name 3,045" in ended.output
    assert "genres 21" in ended.output
    assert "p99" in ended.output
