"""The model of the extraction is fitted the same way every time, from pages alone, and fits its code."""

import gzip
import json
from pathlib import Path

import numpy as np
from click.testing import CliRunner

from rag_llm_system.application.crawlers.extraction.model import chances_of, probabilities
from rag_llm_system.application.crawlers.extraction.traits import NAMES
from tools.fit_extraction.__main__ import main
from tools.fit_extraction.boosting import Growth, fit

GROWTH = Growth(trees=20, leaves=4, rate=0.3, share=1.0, min_rows=5)


def test_trees_learn_what_depends_on_two_columns_together() -> None:
    numbers = np.random.default_rng(1).random((800, 3)).astype(np.float32)
    labels = ((numbers[:, 0] > 0.4) & (numbers[:, 2] <= 0.7)).astype(np.float64)
    start, trees = fit(numbers[:600], labels[:600], np.ones(600), GROWTH)
    found = probabilities(numbers[600:], start, trees) > 0.5
    assert (found == labels[600:]).mean() > 0.97
    assert fit(numbers[:600], labels[:600], np.ones(600), GROWTH) == (start, trees)


def test_rows_that_weigh_nothing_teach_nothing() -> None:
    numbers = np.array([[0.0], [1.0]] * 50, dtype=np.float32)
    labels = np.array([0.0, 1.0] * 25 + [1.0, 0.0] * 25)
    weights = np.array([1.0] * 50 + [0.0] * 50)
    start, trees = fit(numbers, labels, weights, GROWTH)
    low, high = probabilities(np.array([[0.0], [1.0]], dtype=np.float32), start, trees)
    assert low < 0.1 < 0.9 < high


def test_the_model_that_is_shipped_reads_the_traits_that_the_code_has() -> None:
    chances = chances_of(np.zeros((2, len(NAMES)), dtype=np.float32))
    assert chances.shape == (2,)
    assert ((chances > 0) & (chances < 1)).all()


def test_the_command_checks_each_half_and_writes_a_model(tmp_path: Path) -> None:
    (tmp_path / "html").mkdir()
    truths = {}
    for number in range(12):
        prose = " ".join(
            f"<p>Sentence {n} of page {number}, with a few more words to it.</p>" for n in range(9)
        )
        links = "".join(f"<li><a href='/{n}'>Page {n}</a></li>" for n in range(9))
        html = f"<html><body><nav><ul>{links}</ul></nav><main>{prose}</main></body></html>"
        (tmp_path / "html" / f"p{number}.html.gz").write_bytes(gzip.compress(html.encode()))
        truths[f"p{number}"] = {"main_content": prose.replace("<p>", "").replace("</p>", "\n")}
    (tmp_path / "ground-truth.json.gz").write_bytes(gzip.compress(json.dumps(truths).encode()))
    out = tmp_path / "trees.json"
    ran = CliRunner().invoke(main, ["--data", str(tmp_path), "--out", str(out)])
    assert ran.exit_code == 0, ran.output
    assert [line.split()[0] for line in ran.output.splitlines()[:3]] == ["half", "half", "all"]
    model = json.loads(out.read_text(encoding="utf-8"))
    assert set(model) == {"names", "start", "trees"}
    assert tuple(model["names"]) == NAMES
