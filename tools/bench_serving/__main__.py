"""The command ``python -m tools.bench_serving``."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from tools.errors import EXIT_FAILED, clean_exit
from tools.start import start

if TYPE_CHECKING:
    from tools.bench_serving.load import Load

_NEW_TOKENS = 64
_PROMPT_WORDS = 75  # some 250 to 300 tokens of the small model
_SOAK_CLIENTS = 8


@click.command(
    help="Load on /retrieve, /rag and /infer, and on a naive /infer. Exit code 1: a goal was missed."
)
@click.option("--chunks", type=click.IntRange(min=100), default=10_000, show_default=True)
@click.option(
    "--clients", default="1,8,32", show_default=True, help="Clients at once, one load each."
)
@click.option(
    "--requests", type=click.IntRange(min=8), default=160, show_default=True, help="Of each load."
)
@click.option(
    "--soak",
    type=click.IntRange(min=0),
    default=0,
    help="Requests more, to see whether memory stays flat.",
)
@click.option("--page", type=click.Path(path_type=Path), help="Write the tables to a file.")
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path), help="Write all figures to a file."
)
def main(
    *, chunks: int, clients: str, requests: int, soak: int, page: Path | None, json_file: Path | None
) -> None:  # fmt: skip
    with clean_exit():
        from tools.bench_serving import goals, report
        from tools.bench_serving.material import index_chunks, questions, small_model

        counts = [int(one) for one in clients.split(",")]
        with TemporaryDirectory(prefix="bench-serving-") as folder:
            root = Path(folder)
            click.echo(f"indexing {chunks} chunks ...")
            indexed, documents = index_chunks(root / "data", chunks)
            asked = questions(documents)
            small_model(root / "model", [one.text for one in documents[:500]])
            told = report.facts(indexed)
            click.echo("\n".join(f"{name}: {value}" for name, value in told.items()))
            click.echo(f"\n{report.line()}")
            loads: dict[tuple[str, int], Load] = {}
            bench = _Bench(root, asked, counts, requests, loads)
            growth = bench.rag_api(soak)
            bench.inference()
            bench.naive()
        judged = list(goals.goals(loads, growth))
        click.echo("\n" + "\n".join(report.goal_lines(judged)))
        if page:
            page.write_text(report.page(told, loads, bench.memory, judged), encoding="utf-8")
        if json_file:
            json_file.write_text(report.as_json(told, loads, bench.memory), encoding="utf-8")
    if any(goal.reached is False for goal in judged):
        raise SystemExit(EXIT_FAILED)


class _Bench:
    """One server after the other, so that none disturbs the next."""

    def __init__(
        self,
        root: Path,
        asked: Sequence[str],
        counts: Sequence[int],
        requests: int,
        loads: "dict[tuple[str, int], Load]",
    ) -> None:
        self._root, self._asked, self._counts = root, asked, counts
        self._requests, self._loads = requests, loads
        self.memory: dict[str, str] = {}

    def rag_api(self, soak: int) -> float | None:
        """The growth of memory over the soak; None without one."""
        from tools.bench_serving.goals import RAG, RETRIEVE
        from tools.bench_serving.load import run_load
        from tools.bench_serving.servers import memory_mb

        with self._server("tools.ml_service", "--port", "{port}") as url:
            self.memory["RAG API, idle"] = f"{memory_mb(url):.0f}"
            self._load(RETRIEVE, f"{url}/retrieve", [{"query": one} for one in self._asked])
            bodies = [{"query": one, "stream": True} for one in self._asked]
            self._load(RAG, f"{url}/rag", bodies)
            before = memory_mb(url)
            self.memory["RAG API, after the loads"] = f"{before:.0f}"
            if not soak:
                return None
            done = run_load(f"{url}/rag", bodies, clients=_SOAK_CLIENTS, requests=soak)
            after = memory_mb(url)
            self.memory[f"RAG API, after {soak} requests more ({done.errors} errors)"] = (
                f"{after:.0f}"
            )
            return after / before

    def inference(self) -> None:
        from tools.bench_serving.goals import INFER
        from tools.bench_serving.servers import memory_mb

        model = str(self._root / "model")
        with self._server(
            "tools.inference_server",
            "--model",
            model,
            "--port",
            "{port}",
            INFERENCE_MAX_WAITING="64",
        ) as url:
            self.memory["inference server, idle"] = f"{memory_mb(url):.0f}"
            self._load(INFER, f"{url}/infer", [{**one, "stream": True} for one in self._prompts()])
            self.memory["inference server, after the loads"] = f"{memory_mb(url):.0f}"

    def naive(self) -> None:
        from tools.bench_serving.goals import NAIVE

        with self._server("tools.bench_serving.naive", str(self._root / "model"), "{port}") as url:
            self._load(NAIVE, f"{url}/infer", self._prompts())

    def _prompts(self) -> list[dict[str, Any]]:
        words = " ".join(self._asked).split()
        prompts = (" ".join(words[at : at + _PROMPT_WORDS]) for at in range(0, 1000, 10))
        return [
            {"messages": [{"role": "user", "content": one}], "max_new_tokens": _NEW_TOKENS}
            for one in prompts
        ]

    @contextmanager
    def _server(self, module: str, *arguments: str, **settings: str) -> Iterator[str]:
        from tools.bench_serving.servers import running

        ours: Mapping[str, str] = {
            "DATA_DIR": str(self._root / "data"), "RATE_LIMIT_PER_MINUTE": "0", **settings,
        }  # fmt: skip
        log = self._root / f"{module}.log"
        with running(module, *arguments, log=log, settings=ours) as url:
            yield url

    def _load(self, route: str, url: str, bodies: Sequence[dict[str, Any]]) -> None:
        from tools.bench_serving import report
        from tools.bench_serving.load import run_load

        run_load(url, bodies, clients=1, requests=4)  # what is made by the first requests
        for clients in self._counts:
            load = run_load(url, bodies, clients=clients, requests=self._requests)
            self._loads[route, clients] = load
            click.echo(report.line(report.row(route, load)))
            for wrong in {one.error for one in load.samples if one.error}:
                click.echo(f"  {wrong}")


if __name__ == "__main__":
    start(main)
