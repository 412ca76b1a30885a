"""The embedding benchmark counts what it should, and judges by the processor that it ran on."""

import json
import struct
from collections.abc import Sequence
from math import prod
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from rag_llm_system.application.evaluation.beir import read_benchmark
from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.domain.errors import DataError, UnknownName
from rag_llm_system.domain.ports import Role
from rag_llm_system.infrastructure.embedders.hashing import HashingEmbedder
from tools.bench_embedding.__main__ import main
from tools.bench_embedding.contenders.engine import Encoded, weights
from tools.bench_embedding.flops import EncoderShape
from tools.bench_embedding.goals import Goal, Quality, Row, goals, speed_ratio
from tools.bench_embedding.processor import Peak, Processor, best_of, processor_of
from tools.bench_embedding.quality import measure_quality
from tools.bench_embedding.race import PLANS, Plan, chosen, cosines, race, running
from tools.bench_embedding.report import Table, as_json, goal_lines, peak_line, quality_lines
from tools.bench_embedding.text_files import read_texts, write_texts
from tools.bench_embedding.texts import Sample, project_texts, sample_of, spread

AMX = Processor(name="with AMX", flags=frozenset({"amx_bf16", "avx512_bf16"}))
BF16 = Processor(name="with bf16", flags=frozenset({"avx512_bf16"}))
PLAIN = Processor(name="without", flags=frozenset({"avx2"}))


def row(contender: str, *seconds: float, dtype: str = "float32") -> Row:
    runs = tuple(Encoded(seconds=each, cpu_s=2 * each, peak_bytes=500_000_000) for each in seconds)
    return Row(contender=contender, dtype=dtype, load_s=1.5, runs=runs)


def verdicts(
    rows: Sequence[Row], processor: Processor, *quality: Quality
) -> dict[str, bool | None]:
    return {goal.name: goal.reached for goal in goals(rows, quality, processor)}


def measured(ours: float, float32: float) -> Quality:
    return Quality(
        benchmark="set", documents=9, queries=3, exact="ours-fp32", ours=ours, float32=float32
    )


class StandIn:
    """An engine without a model, for the processes of a race."""

    dtype = "float32"

    def __init__(self, folder: Path) -> None:
        self._embedder = HashingEmbedder()

    def encode(self, texts: Sequence[str], role: Role) -> Vectors:
        print("libraries print")  # noqa: T201 - as some do
        return self._embedder.embed(texts)


class OtherVectors(StandIn):
    def encode(self, texts: Sequence[str], role: Role) -> Vectors:
        return -super().encode(texts, role)


class Broken(StandIn):
    def encode(self, texts: Sequence[str], role: Role) -> Vectors:
        if len(texts) > 1:
            raise ValueError("out of luck")
        return super().encode(texts, role)


def plan(contender: str, engine: type[StandIn], **more: object) -> Plan:
    return Plan(contender, f"tests.unit.tools.test_bench_embedding:{engine.__name__}", **more)


def ignore(line: str) -> None:
    """Nobody watches this race."""


def test_the_formula_counts_every_weight_of_the_layers() -> None:
    with (weights() / "model.safetensors").open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
    shapes = [entry["shape"] for name, entry in header.items() if ".layer." in name]
    shape = EncoderShape.of(weights())
    assert shape.linear_parameters == sum(prod(each) for each in shapes if len(each) == 2)
    assert shape.linear_parameters == 10_616_832


def test_attention_grows_with_the_square_of_the_length() -> None:
    shape = EncoderShape(layers=2, hidden=4, intermediate=16)
    assert shape.linear_parameters == 2 * (4 * 16 + 2 * 64)
    assert shape.flops(1) == 2 * 384 + 2 * 4 * 4
    assert shape.flops(10) == 2 * 384 * 10 + 2 * 4 * 4 * 100


@pytest.mark.parametrize(
    ("cpuinfo", "name", "flags"),
    [
        (
            "processor\t: 0\nmodel name\t: A CPU\nflags\t\t: fpu avx2 amx_bf16\n\nflags\t: x\n",
            "A CPU",
            {"fpu", "avx2", "amx_bf16"},
        ),
        ("processor : 0\nFeatures : asimd bf16\n", None, {"asimd", "bf16"}),
    ],
)
def test_a_processor_is_read_from_what_linux_says(
    cpuinfo: str, name: str | None, flags: set[str]
) -> None:
    processor = processor_of(cpuinfo)
    assert processor.flags == flags
    assert name in {None, processor.name}
    assert processor.has_amx == ("amx_bf16" in flags)


def test_the_better_of_two_measurements_counts() -> None:
    one = Peak(threads=2, gflops={"float32": 90.0, "bfloat16": 700.0})
    other = Peak(threads=2, gflops={"float32": 190.0, "bfloat16": 400.0})
    best = best_of(one, other)
    assert best.gflops == {"float32": 190.0, "bfloat16": 700.0}
    assert "190 GFLOP/s in float32, 700 GFLOP/s in bfloat16, 2 threads" in peak_line(best)


def test_with_amx_the_ratios_are_judged() -> None:
    rows = [row("ours", 3.0, 1.0), row("documented", 4.4), row("fastembed", 6.9)]
    assert verdicts(rows, AMX) == {"ours : documented way": True, "ours : fastembed": False}


@pytest.mark.parametrize("processor", [BF16, PLAIN])
def test_without_amx_only_no_slower_is_judged(processor: Processor) -> None:
    rows = [row("ours", 1.0), row("documented", 1.0), row("fastembed", 0.5)]
    assert verdicts(rows, processor) == {
        "ours : documented way": None,
        "ours : fastembed": None,
        "no slower than the documented way": True,
    }
    slower = [row("ours", 1.01), row("documented", 1.0)]
    assert verdicts(slower, processor)["no slower than the documented way"] is False


def test_a_contender_that_is_missing_is_no_missed_goal() -> None:
    rows = [row("ours", 1.0), row("documented", 9.0), Row(contender="fastembed", missing="absent")]
    assert speed_ratio(rows, "ours", "fastembed") is None
    assert verdicts(rows, AMX)["ours : fastembed"] is None


@pytest.mark.parametrize(("ours", "reached"), [(0.6421, True), (0.6419, False), (0.7, True)])
def test_a_loss_of_ndcg_must_stay_below_its_bar(ours: float, reached: bool) -> None:
    found = verdicts([], PLAIN, measured(ours, float32=0.6440))
    assert found["loss of nDCG@10 on set"] is reached


def write_benchmark(folder: Path) -> Path:
    (folder / "qrels").mkdir(parents=True)
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td2\t1\n")
    documents = [
        {"_id": "d1", "title": "", "text": "a red fish"},
        {"_id": "d2", "title": "Birds", "text": "a green bird", "metadata": {}},
    ]
    queries = [{"_id": "q1", "text": "green bird"}, {"_id": "q2", "text": "not judged"}]
    for name, rows in (("corpus", documents), ("queries", queries)):
        lines = "".join(f"{json.dumps(each)}\n" for each in rows)
        (folder / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    return folder


def test_texts_come_back_as_they_were_written(tmp_path: Path) -> None:
    texts = ["two\nlines", "ünïcode \u2028", ""]
    write_texts(tmp_path / "texts.jsonl", texts)
    assert read_texts(tmp_path / "texts.jsonl") == texts


def test_a_file_without_texts_is_refused(tmp_path: Path) -> None:
    write_texts(tmp_path / "texts.jsonl", [])
    with pytest.raises(DataError, match="holds no text"):
        read_texts(tmp_path / "texts.jsonl")


@pytest.mark.parametrize("line", ["[1]", "text", '{"body": "x"}', '{"text": 5}'])
def test_a_line_without_a_text_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "texts.jsonl"
    path.write_text(f'{{"text": "good"}}\n{line}\n', encoding="utf-8")
    with pytest.raises(DataError, match=r"texts.jsonl:2"):
        read_texts(path)


def test_a_spread_takes_items_at_even_distances() -> None:
    assert spread(range(10), 5) == [0, 2, 4, 6, 8]
    assert spread("abc", 9) == ["a", "b", "c"]
    assert spread([], 3) == []


def test_of_a_text_that_is_too_long_the_first_window_is_taken() -> None:
    embedder = HashingEmbedder(max_tokens=4)
    sample = sample_of(["one two three four five six", "short"], embedder)
    assert sample.texts == ("one two three four", "short")
    assert sample.tokens == (6, 3)
    assert sample.digest != sample_of(["one two three four", "other"], embedder).digest


def test_texts_of_the_project_are_windows_of_its_articles_posts_and_files(tmp_path: Path) -> None:
    site = tmp_path / "examples" / "site"
    site.mkdir(parents=True)
    prose = (
        "The encoder reads a window of the text, and no token of it is ever lost on the way. " * 9
    )
    page = (
        f"<html><head><title>T</title></head><body><article><p>{prose}</p></article></body></html>"
    )
    (site / "page.html").write_text(page, encoding="utf-8")
    (tmp_path / "examples" / "posts.jsonl").write_text('{"text": "A short post."}\n')
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "code.py").write_text("def answer():\n    return 42\n" * 40)
    embedder = HashingEmbedder()
    assert len(project_texts(20, embedder, tmp_path)) == 20
    texts = project_texts(1000, embedder, tmp_path)
    assert any("A short post" in text for text in texts)
    assert any("encoder reads" in text for text in texts)
    assert any("return 42" in text for text in texts)
    assert max(len(embedder.token_spans(text)) for text in texts) <= embedder.max_tokens


def test_every_contender_encodes_every_text_in_every_round(tmp_path: Path) -> None:
    texts = ["a green bird", "a red fish"]
    said: list[str] = []
    plans = [plan("ours", StandIn), plan("documented", StandIn)]
    with running(plans, tmp_path, said.append) as (contenders, absent):
        rows = race(contenders, texts, 2, tmp_path, said.append)
        benchmark = read_benchmark(write_benchmark(tmp_path / "set"))
        quality = measure_quality(benchmark, contenders, HashingEmbedder(), tmp_path, ignore)
    assert absent == {}
    assert [line.rpartition(":")[0] for line in said] == [
        "",
        "",
        *["round 1 of 2"] * 2,
        *["round 2 of 2"] * 2,
    ]
    for each in rows:
        assert len(each.runs) == 2
        assert each.best_s > 0 < each.load_s
        assert each.peak_bytes > 10_000_000
        assert (each.cosine_min, each.cosine_mean) == (pytest.approx(1.0), pytest.approx(1.0))
    assert quality == Quality(
        benchmark="set", documents=2, queries=1, exact="documented", ours=1.0, float32=1.0
    )


def test_a_contender_that_fails_is_a_row_and_the_others_go_on(tmp_path: Path) -> None:
    plans = [
        plan("documented", StandIn),
        plan("breaks", Broken),
        plan("differs", OtherVectors),
        plan("absent", StandIn, needs=("no_such_package",)),
        plan("unprepared", StandIn, prepare="tools.bench_embedding.no_such_module"),
        Plan("unknown", "tools.bench_embedding.goals:no_such_engine"),
    ]
    with running(plans, tmp_path, ignore) as (contenders, absent):
        raced = race(contenders, ["a green bird", "a red fish"], 2, tmp_path, ignore)
    rows = {each.contender: each for each in (*raced, *absent.values())}
    assert len(rows["documented"].runs) == 2
    assert rows["breaks"].missing == "failed: ValueError: out of luck"
    assert rows["differs"].missing == "failed: other vectors, cosine -1.0000"
    assert rows["unprepared"].failed
    assert rows["unknown"].missing.startswith("failed: error: unknown contender")
    assert rows["absent"].missing.startswith("not installed: no_such_package; pip install")
    assert not rows["absent"].failed


def test_cosines_do_not_depend_on_lengths() -> None:
    one = np.array([[3.0, 0.0], [1.0, 1.0]], dtype=np.float32)
    other = np.array([[1.0, 0.0], [0.0, 9.0]], dtype=np.float32)
    assert cosines(one, other).tolist() == pytest.approx([1.0, 0.5**0.5])


def test_the_documented_way_is_in_every_race() -> None:
    assert [each.contender for each in chosen(["fastembed"])] == ["documented", "fastembed"]
    assert chosen([]) == list(PLANS)
    with pytest.raises(
        UnknownName, match=r"unknown contender 'nemo'; known: documented, fastembed"
    ):
        chosen(["nemo"])


def table(*rows: Row) -> Table:
    sample = Sample(texts=("one", "two"), tokens=(100, 100))
    peak = Peak(threads=2, gflops={"float32": 100.0, "bfloat16": 400.0})
    shape = EncoderShape(layers=1, hidden=1000, intermediate=3000)
    return Table(rows, sample, shape, peak)


def test_a_line_shows_rates_of_the_best_round_and_the_share_of_peak() -> None:
    ours = row("ours", 0.2, 0.1, 0.3, dtype="bfloat16").model_copy(
        update={"cosine_min": 0.9991, "cosine_mean": 0.99951}
    )
    _, *lines = table(ours, row("documented", 0.4)).lines()
    # 2 x 10M parameters x 200 tokens + 4 x 1000 x (100^2 + 100^2) = 4.08 GFLOP
    assert lines[0].split() == [
        "ours", "bfloat16", "1.5", "0.10", "0.20", "0.20", "20.0", "2000", "10.2%", "4.00x",
        "0.999100", "0.999510", "500",
    ]  # fmt: skip
    assert lines[1].split()[-2:] == ["1.00x", "500"]


def test_a_line_says_why_there_are_no_figures() -> None:
    _, line = table(Row(contender="fastembed", missing="not installed")).lines()
    assert line.split(maxsplit=1) == ["fastembed", "not installed"]


def test_goals_are_shown_as_reached_missed_or_not_judged() -> None:
    shown = goal_lines(
        [
            Goal(name="fast", bar=4.4, measured=4.5),
            Goal(name="loss", bar=0.002, below=True, measured=0.01),
            Goal(name="fast", bar=7, measured=3.0, not_judged="no AMX"),
            Goal(name="unknown", bar=1),
        ]
    )
    assert [" ".join(line.split()) for line in shown] == [
        "reached fast 4.5 (at least 4.4)",
        "MISSED loss 0.01 (below 0.002)",
        "not judged fast 3 (at least 7; not judged here: no AMX)",
        "not measured unknown (at least 1)",
    ]


def test_quality_is_shown_with_its_loss() -> None:
    _, line = quality_lines([measured(0.6435, float32=0.6440)])
    assert line.split() == ["set", "9", "3", "0.6435", "0.6440", "+0.0005", "(ours-fp32)"]


def test_the_file_holds_every_figure() -> None:
    rows = [row("ours", 0.1), row("documented", 0.4), Row(contender="fastembed", missing="absent")]
    quality = [measured(0.6435, float32=0.6440)]
    judged = goals(rows, quality, AMX)
    read = json.loads(as_json({"date": "now"}, table(*rows), rows, quality=quality, goals=judged))
    assert read["date"] == "now"
    assert [each["contender"] for each in read["rows"]] == ["ours", "documented", "fastembed"]
    assert read["rows"][0]["times_documented"] == pytest.approx(4.0)
    assert read["rows"][1]["runs"][0]["seconds"] == 0.4
    assert read["quality"][0]["loss"] == pytest.approx(0.0005)
    assert [goal["reached"] for goal in read["goals"]] == [False, None, True]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--only", "nemo"], "error: unknown contender 'nemo'; known: documented"),
        (["--quality", "no/such"], "error: no/such/qrels/test.tsv is not there; name a folder"),
        (
            ["--data", "no/such"],
            'error: no/such is not there; name a file of lines such as {"text"',
        ),
    ],
)
def test_bad_input_is_one_clear_line_before_anything_is_run(
    arguments: list[str], says: str
) -> None:
    ran = CliRunner().invoke(main, arguments)
    assert ran.exit_code == 2
    assert ran.stderr.startswith(says)
    assert ran.stderr.count("\n") == 1
