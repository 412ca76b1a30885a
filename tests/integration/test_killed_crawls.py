"""A crawl killed with SIGKILL at any moment leaves no process behind, and the next one completes it."""

import http.server
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import psutil
import pytest

from rag_llm_system.application.crawlers.options import CrawlOptions
from rag_llm_system.settings import PROJECT_ROOT

KILLS = int(os.environ.get("TEST_KILLS", "4"))  # the closing measurements use 30
PAGES, HOSTS = 40, 4
LINKS = [f"http://h{n % HOSTS}.example/page/{n}" for n in range(PAGES)]
PAGE = """<!doctype html><html><head><title>Page {n}</title></head><body><article><h1>Page {n}</h1>
<p>Page {n} tells how a crawl that was interrupted is continued, in more than one sentence of text.</p>
<p>What it had finished is not asked again, and what it had not is asked by the next run of it.</p>
</article></body></html>"""

# crawls all links of the first argument's JSON, and prints the report and what is stored
CRAWL = """
import json, sys
from rag_llm_system.application.crawlers.crawl import crawl_links
from rag_llm_system.application.crawlers.options import CrawlOptions
from rag_llm_system.bootstrap import build
from rag_llm_system.domain.documents import Author
from rag_llm_system.settings import load_settings

job = json.loads(sys.argv[1])
options = CrawlOptions(interval_s=0, per_host=2, connect_to=job["connect_to"], browser="off")
author = Author.named("Ada Test")
with build(load_settings()) as system, system.crawlers(options) as dispatcher:
    report = crawl_links(job["links"], author, dispatcher=dispatcher, store=system.documents,
                         options=options)
    stored = [d.link for d in system.documents.find("articles")]
    states = {s.link: s.status for s in system.documents.links(author_id=author.id)}
print(json.dumps({"report": report.model_dump(mode="json"), "stored": stored, "states": states}))
"""


class Site(http.server.BaseHTTPRequestHandler):
    """Pages with an ETag, each a moment late; the server counts answers with a body."""

    protocol_version = "HTTP/1.1"
    bodies: ClassVar[Counter[str]] = Counter()

    def do_GET(self) -> None:
        number = self.path.rpartition("/")[2]
        etag = f'"{number}"'
        known = self.headers["If-None-Match"] == etag
        body = b"" if known or not number.isdigit() else PAGE.format(n=number).encode()
        time.sleep(0.02)
        self.send_response(304 if known else 200 if body else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("ETag", etag)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        if body:
            self.bodies[f"http://{self.headers['Host']}{self.path}"] += 1

    def log_message(self, *message: Any) -> None:
        """Silent."""


@pytest.fixture
def address() -> Iterator[str]:
    Site.bodies.clear()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def started(data_dir: Path, address: str) -> subprocess.Popen[str]:
    job = {"links": LINKS, "connect_to": {f"h{n}.example": address for n in range(HOSTS)}}
    settings = {"DATA_DIR": str(data_dir), "DATABASE_HOST": "", "TRACING": "off"}
    return subprocess.Popen(
        [sys.executable, "-c", CRAWL, json.dumps(job)],
        cwd=PROJECT_ROOT,
        env={**os.environ, **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(data_dir: Path, address: str) -> dict[str, Any]:
    process = started(data_dir, address)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    result: dict[str, Any] = json.loads(out.splitlines()[-1])
    return result


def killed_while_it_works(data_dir: Path, address: str, answers: int) -> list[psutil.Process]:
    """Kill a crawl after that many answers of the site; the processes it had started."""
    before = Site.bodies.total()
    process = started(data_dir, address)
    while process.poll() is None and Site.bodies.total() < before + answers:
        time.sleep(0.002)
    children = (
        psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    )
    process.kill()
    process.communicate(timeout=60)
    return children


def test_a_killed_crawl_is_completed_without_loss_or_duplicates(
    tmp_path: Path, address: str
) -> None:
    moments = random.Random(20261121)  # noqa: S311 - a fixed choice
    left: list[psutil.Process] = []
    for _ in range(KILLS):
        left += killed_while_it_works(tmp_path, address, moments.randint(0, PAGES // KILLS))
    done = finished(tmp_path, address)

    assert sorted(done["stored"]) == sorted(LINKS)
    assert {state for state in done["states"].values()} <= {"fetched", "unchanged"}
    assert sorted(done["states"]) == sorted(LINKS)
    assert done["report"]["failures"] == []
    _, alive = psutil.wait_procs(left, timeout=10)
    assert [one for one in alive if one.status() != psutil.STATUS_ZOMBIE] == []


def test_what_a_killed_crawl_had_finished_is_not_asked_again(tmp_path: Path, address: str) -> None:
    killed_while_it_works(tmp_path, address, PAGES - PAGES // 4)
    done = finished(tmp_path, address)
    report = done["report"]
    assert report["continued"] > 0
    attempted = sum(count["attempted"] for count in report["domains"].values())
    assert report["continued"] + attempted == PAGES
    # what was in work when the crawl was killed may have been answered twice, and nothing else
    assert sum(n - 1 for n in Site.bodies.values()) <= CrawlOptions().concurrency


def test_a_second_crawl_of_unchanged_pages_moves_no_body(tmp_path: Path, address: str) -> None:
    finished(tmp_path, address)
    Site.bodies.clear()
    again = finished(tmp_path, address)
    assert Site.bodies.total() == 0
    assert (again["report"]["unchanged"], again["report"]["new"]) == (PAGES, 0)
    assert set(again["states"].values()) == {"unchanged"}
