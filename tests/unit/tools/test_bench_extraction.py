"""The extraction benchmark counts what it should and says clearly what it cannot read."""

import gzip
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from rag_llm_system.domain.errors import DataError, MissingFile
from tools.bench_extraction.__main__ import main
from tools.bench_extraction.pages import LabelledPage, Score, labelled_pages, mean_score, score
from tools.bench_extraction.race import ahead_of, race

WORDS = "The tide washes the basin clean twice a day, and nobody has to pay for it at all."


def write_pages(folder: Path, **contents: str) -> Path:
    """A page for each content, its kind being its name without its last letter."""
    (folder / "html").mkdir()
    truths = {}
    for name, content in contents.items():
        truths[name] = {
            "url": f"https://a.example/{name}",
            "page_type": name[:-1],
            "main_content": content,
        }
        html = (
            f"<html><body><nav>Home</nav><main><p>{content}</p><p>{WORDS}</p></main></body></html>"
        )
        (folder / "html" / f"{name}.html.gz").write_bytes(gzip.compress(html.encode()))
    packed = gzip.compress(json.dumps(truths).encode())
    (folder / "ground-truth.json.gz").write_bytes(packed)
    return folder


@pytest.mark.parametrize(
    ("text", "truth", "expected"),
    [
        ("a b c d e", "a b c d e", Score(1.0, 1.0)),
        ("A-b, c! d\ne", "A b c d e", Score(1.0, 1.0)),
        ("a b c d e f g h", "a b c d", Score(0.2, 1.0)),
        ("a b c d", "a b c d e f g h", Score(1.0, 0.2)),
        ("a b c d a b c d", "a b c d", Score(0.2, 1.0)),
        ("a b", "a b", Score(1.0, 1.0)),
        ("d c b a", "a b c d", Score(0.0, 0.0)),
        ("", "a b c d", Score(0.0, 0.0)),
        ("a b c d", "", Score(0.0, 1.0)),
        ("", "", Score(1.0, 1.0)),
    ],
)
def test_a_text_is_scored_by_words_in_fours(text: str, truth: str, expected: Score) -> None:
    assert score(text, truth) == expected


def test_f1_is_that_of_the_mean_precision_and_the_mean_recall() -> None:
    mean = mean_score([Score(1.0, 0.5), Score(0.5, 0.5)])
    assert mean == Score(0.75, 0.5)
    assert mean.f1 == pytest.approx(0.6)
    assert Score(0.0, 0.0).f1 == 0.0


def test_pages_are_read_with_their_kind_and_content(tmp_path: Path) -> None:
    pages = labelled_pages(write_pages(tmp_path, forum2="b", article1="a"))
    assert pages == [
        LabelledPage("article1", "https://a.example/article1", "article", "a", tmp_path),
        LabelledPage("forum2", "https://a.example/forum2", "forum", "b", tmp_path),
    ]
    assert "<p>a</p>" in pages[0].html()


def test_an_extractor_in_error_has_found_nothing_on_that_page_and_goes_on(tmp_path: Path) -> None:
    pages = labelled_pages(write_pages(tmp_path, article1=WORDS, article2=WORDS))

    def half(html: str, url: str) -> str:
        if url.endswith("1"):
            raise ValueError("odd page")
        return WORDS

    right, wrong = race(pages, {"right": lambda html, url: WORDS, "half": half})
    assert (right.empty, right.errors, mean_score(right.scores).f1) == (0, [], 1.0)
    assert (wrong.empty, wrong.errors) == (1, ["article1: ValueError: odd page"])
    assert wrong.scores == [Score(0.0, 0.0), Score(1.0, 1.0)]


def test_the_lead_of_one_extractor_has_an_interval_around_it(tmp_path: Path) -> None:
    pages = labelled_pages(
        write_pages(tmp_path, **{f"article{n}": f"{n} {WORDS}" for n in range(9)})
    )
    good, bad = race(pages, {"good": lambda html, url: WORDS, "bad": lambda html, url: WORDS[:40]})
    lead, low, high = ahead_of(good, bad)
    assert 0 < low <= lead <= high
    assert ahead_of(good, good) == (0.0, 0.0, 0.0)


def test_the_command_shows_all_extractors_and_every_kind_of_page(tmp_path: Path) -> None:
    folder = write_pages(tmp_path, article1=WORDS, article2=WORDS, forum3=WORDS)
    out = tmp_path / "figures.json"
    ran = CliRunner().invoke(main, ["--data", str(folder), "--json", str(out)])
    assert ran.exit_code == 0, ran.output
    for shown in (
        "3 pages",
        "ours",
        "trafilatura",
        "readability-lxml",
        "all text",
        "article",
        "forum",
    ):
        assert shown in ran.output
    figures = json.loads(out.read_text(encoding="utf-8"))
    assert figures["ours"]["errors"] == []
    assert set(figures["ours"]["pages"]) == {"article1", "article2", "forum3"}
    assert figures["trafilatura"]["cpu_ratio"] == 1.0


def test_a_missing_folder_is_one_clear_line() -> None:
    ran = CliRunner().invoke(main, ["--data", "no/such/folder"])
    assert ran.exit_code == 2
    assert ran.stderr.startswith("error: no/such/folder/ground-truth.json.gz is not there; name a")
    assert ran.stderr.count("\n") == 1


def test_a_folder_that_is_not_whole_is_refused(tmp_path: Path) -> None:
    folder = write_pages(tmp_path, article1=WORDS)
    (page,) = labelled_pages(folder)
    path = folder / "html" / "article1.html.gz"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DataError, match="not a whole gzip file"):
        page.html()
    path.unlink()
    with pytest.raises(MissingFile, match="is not there, but ground-truth"):
        page.html()
    (folder / "ground-truth.json.gz").write_bytes(b"{}")
    with pytest.raises(DataError, match="is not JSON in gzip"):
        labelled_pages(folder)
    (folder / "ground-truth.json.gz").write_bytes(gzip.compress(b"{}"))
    with pytest.raises(DataError, match="names no page"):
        labelled_pages(folder)
