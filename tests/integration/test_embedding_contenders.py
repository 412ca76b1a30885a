"""The embedding benchmark with its real engines, on a few texts."""

import json
from importlib.util import find_spec
from pathlib import Path

import pytest
from click.testing import CliRunner

from tools.bench_embedding.__main__ import main
from tools.bench_embedding.text_files import write_texts

needs_fastembed = pytest.mark.skipif(
    find_spec("fastembed") is None or find_spec("onnx") is None, reason="extra bench not installed"
)
TEXTS = ["one short text", "a longer text " * 40, "another one, of middling length " * 9, "last"]


def bench(tmp_path: Path, *names: str) -> dict[str, dict[str, object]]:
    """The rows of a race of these contenders on a few texts, by name."""
    data, out = tmp_path / "data.jsonl", tmp_path / "figures.json"
    write_texts(data, TEXTS)
    only = [argument for name in names for argument in ("--only", name)]
    ran = CliRunner().invoke(
        main, ["--data", str(data), "--rounds", "1", "--json", str(out), *only]
    )
    assert out.exists(), ran.output
    return {row["contender"]: row for row in json.loads(out.read_text(encoding="utf-8"))["rows"]}


@needs_fastembed
def test_fastembed_runs_the_same_weights_without_torch(tmp_path: Path) -> None:
    rows = bench(tmp_path, "fastembed")
    assert rows.keys() == {"documented", "fastembed"}
    assert not any(row["failed"] for row in rows.values())
    assert rows["fastembed"]["cosine_min"] == pytest.approx(1.0, abs=1e-5)
    assert rows["fastembed"]["runs"][0]["peak_bytes"] < rows["documented"]["runs"][0]["peak_bytes"]


def test_our_encoder_gives_the_vectors_of_the_documented_way(tmp_path: Path) -> None:
    rows = bench(tmp_path, "ours", "ours-fp32")
    assert rows.keys() == {"ours", "ours-fp32", "documented"}
    assert not any(row["failed"] for row in rows.values())
    assert rows["ours-fp32"]["cosine_min"] == pytest.approx(1.0, abs=1e-5)
    assert rows["ours"]["cosine_min"] > 0.995
    assert 0 < rows["ours"]["share_of_peak"] < 1
