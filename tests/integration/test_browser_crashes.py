"""What dies while pages are fetched is replaced, and nothing outlives the crawler."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from rag_llm_system.domain.errors import CrawlError
from rag_llm_system.infrastructure.fetchers import browser_process
from rag_llm_system.infrastructure.fetchers.addresses import AddressRules
from rag_llm_system.infrastructure.fetchers.browser import BrowserFetcher
from rag_llm_system.infrastructure.fetchers.browser_process import (
    BrowserFailed,
    BrowserProcess,
    remove_stale_folders,
)
from rag_llm_system.settings import PROJECT_ROOT
from tests.browser_site import NEEDS_BROWSER, PARAGRAPH, WebServer, serving, wait_until

pytestmark = [
    NEEDS_BROWSER,
    pytest.mark.skipif(sys.platform != "linux", reason="tells processes apart by /proc"),
]

PAGES = {
    f"/{n}": f"<title>{n}</title><script>window.x=1</script>{PARAGRAPH}PAGE-{n}" for n in range(24)
}

Victim = Callable[[psutil.Process], bool]
VICTIMS: dict[str, Victim] = {
    "browser": lambda p: p.name() == "chromium" and not any("--type" in a for a in p.cmdline()),
    "renderer": lambda p: "--type=renderer" in p.cmdline(),
    "driver": lambda p: p.name() == "chromedriver",
    "keeper": lambda p: any("browser_keeper" in a for a in p.cmdline()),
}


def children(of: psutil.Process | None = None) -> list[psutil.Process]:
    return (of or psutil.Process()).children(recursive=True)


def killed(victim: str, among: list[psutil.Process]) -> bool:
    """Kills all processes of that kind; whether there was one."""
    found = False
    for process in among:
        try:
            if VICTIMS[victim](process):
                process.kill()
                found = True
        except psutil.NoSuchProcess:
            continue
    return found


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    return [p for p in processes if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


def folder_of(processes: list[psutil.Process]) -> Path:
    return next(Path(p.cmdline()[4]) for p in processes if VICTIMS["keeper"](p))


@pytest.fixture(scope="module")
def site() -> Iterator[WebServer]:
    with serving(PAGES) as server:
        yield server


@pytest.fixture
def fetcher(site: WebServer) -> Iterator[BrowserFetcher]:
    rules = AddressRules(connect_to={"site.example": f"127.0.0.1:{site.server_port}"})
    fetcher = BrowserFetcher(rules=rules, page_timeout_s=10.0)
    before = children()
    yield fetcher
    started = [p for p in children() if p not in before]
    fetcher.close()
    assert alive(started) == []
    assert [p for p in children() if p not in before] == []


@pytest.mark.parametrize("victim", VICTIMS)
def test_a_browser_that_dies_between_pages_is_replaced(
    fetcher: BrowserFetcher, victim: str
) -> None:
    fetcher.fetch("http://site.example/1")
    first = children()
    folder = folder_of(first)
    assert killed(victim, first)
    page = fetcher.fetch("http://site.example/2")
    assert page is not None
    assert "PAGE-2" in page.text
    assert alive(first) == []
    assert not folder.exists()


def test_every_page_is_read_once_whatever_dies_meanwhile(
    fetcher: BrowserFetcher, site: WebServer
) -> None:
    """Six kills, each at a random moment of the pages after the last one; a page is tried twice, not more often."""
    chance = random.Random(7)  # noqa: S311
    read: list[int] = []
    kills: list[str] = []
    over = threading.Event()

    def kill() -> None:
        for victim in [*VICTIMS, "renderer", "driver"]:
            pages = len(read)
            wait_until(lambda p=pages: len(read) > p or over.is_set(), timeout_s=60)
            if over.wait(chance.uniform(0.0, 0.8)):
                return
            if wait_until(lambda v=victim: killed(v, children())):  # it may be about to start
                kills.append(victim)

    killer = threading.Thread(target=kill)
    site.asked.clear()
    killer.start()
    try:
        for n in range(len(PAGES)):
            page = fetcher.fetch(f"http://site.example/{n}")
            assert page is not None
            assert f"PAGE-{n}" in page.text
            read.append(n)
    finally:
        over.set()
        killer.join()
    assert read == list(range(len(PAGES)))
    assert len(kills) == 6
    assert len(site.asked) <= len(PAGES) + len(kills)


def test_a_page_that_ends_the_browser_every_time_is_given_up(
    fetcher: BrowserFetcher, site: WebServer
) -> None:
    fetcher.fetch("http://site.example/1")
    over = threading.Event()

    def kill() -> None:
        while not over.wait(0.05):
            killed("driver", children())

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        with pytest.raises(CrawlError) as raised:
            fetcher.fetch("http://site.example/2")
    finally:
        over.set()
        killer.join()
    assert raised.value.kind == "failed"
    assert raised.value.reason.startswith("the browser failed: ")
    page = fetcher.fetch("http://site.example/3")
    assert page is not None


CRAWLER = """
import sys
from rag_llm_system.infrastructure.fetchers.addresses import AddressRules
from rag_llm_system.infrastructure.fetchers.browser import BrowserFetcher
fetcher = BrowserFetcher(rules=AddressRules(connect_to={"site.example": sys.argv[1]}))
fetcher.fetch("http://site.example/1")
print("ready", flush=True)
while True:
    fetcher.fetch("http://site.example/2")
"""


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_outlives_a_crawler_that_is_killed(site: WebServer, sent: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CRAWLER, f"127.0.0.1:{site.server_port}"],
        cwd=PROJECT_ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as crawler:
        try:
            assert crawler.stdout is not None
            assert crawler.stdout.readline() == "ready\n"
            started = children(psutil.Process(crawler.pid))
            folder = folder_of(started)
            assert len(started) > 5
            crawler.send_signal(sent)
            crawler.wait(10)
        finally:
            crawler.kill()
    assert wait_until(lambda: not alive(started), timeout_s=3.0)
    assert wait_until(lambda: not folder.exists(), timeout_s=3.0)


def test_a_browser_started_by_a_thread_that_has_ended_goes_on(fetcher: BrowserFetcher) -> None:
    starter = threading.Thread(target=fetcher.fetch, args=("http://site.example/1",))
    starter.start()
    starter.join()
    before = children()
    page = fetcher.fetch("http://site.example/2")
    assert page is not None
    assert {p.pid for p in before if VICTIMS["driver"](p)} == {
        p.pid for p in children() if VICTIMS["driver"](p)
    }


def test_a_process_forked_meanwhile_does_not_keep_a_browser_alive(fetcher: BrowserFetcher) -> None:
    fetcher.fetch("http://site.example/1")
    started = children()
    holder = os.fork()
    if holder == 0:
        time.sleep(60)
        os._exit(0)
    try:
        fetcher.close()
        assert alive(started) == []
    finally:
        os.kill(holder, signal.SIGKILL)
        os.waitpid(holder, 0)


def test_a_browser_that_cannot_start_says_why(tmp_path: Path, site: WebServer) -> None:
    broken = tmp_path / "driver"
    broken.write_text(
        "#!/bin/sh\necho 'libnss3.so: cannot open shared object file' >&2\nexit 127\n"
    )
    broken.chmod(0o755)
    fetcher = BrowserFetcher(rules=AddressRules(), driver=str(broken))
    with pytest.raises(CrawlError, match="cannot open shared object file") as raised:
        fetcher.fetch("http://site.example/1")
    fetcher.close()
    assert raised.value.kind == "failed"
    assert children() == []


def test_folders_that_a_killed_keeper_left_are_removed_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(browser_process, "_SURELY_OLD_S", -1.0)
    process = BrowserProcess("chromedriver", max_memory_mb=0)
    used = [p for p in children() if VICTIMS["keeper"](p)]
    remove_stale_folders()
    assert process.folder.exists()
    used[0].kill()
    assert wait_until(lambda: not process.is_running())
    remove_stale_folders()
    assert not process.folder.exists()
    process.stop()


def test_a_folder_of_somebody_else_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(browser_process, "_SURELY_OLD_S", -1.0)
    other = tmp_path / "rag-llm-system-browser-other"
    other.mkdir()  # without the lock file that ours have
    (tmp_path / "rag-llm-system-browser-link").symlink_to("/etc")
    remove_stale_folders()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "rag-llm-system-browser-link",
        "rag-llm-system-browser-other",
    ]


def test_a_driver_that_says_nothing_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browser_process, "_START_TIMEOUT_S", 0.5)
    silent = tmp_path / "driver"
    silent.write_text("#!/bin/sh\nsleep 60\n")
    silent.chmod(0o755)
    with pytest.raises(BrowserFailed, match="no word from it"):
        BrowserProcess(str(silent), max_memory_mb=0)
    assert children() == []
