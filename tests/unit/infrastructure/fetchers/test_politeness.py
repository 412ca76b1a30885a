"""How often, how many at once and how long a host is asked, by a clock that the tests turn."""

import threading
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from rag_llm_system.domain.crawling import FailureKind
from rag_llm_system.domain.documents import Page
from rag_llm_system.domain.errors import ConfigurationError, CrawlError
from rag_llm_system.domain.ports import Wanted
from rag_llm_system.infrastructure.fetchers.hosts import BREAK_AFTER, BREAK_S
from rag_llm_system.infrastructure.fetchers.identity import USER_AGENT
from rag_llm_system.infrastructure.fetchers.memory import MemoryFetcher
from rag_llm_system.infrastructure.fetchers.polite import PoliteFetcher, Politeness, user_agent
from rag_llm_system.infrastructure.fetchers.politeness import Turn
from rag_llm_system.settings import PROJECT_ROOT

LINK = "http://site.example/page"


class Clock:
    """Time passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def page(link: str, content: bytes = b"<p>Words.</p>", final_url: str = "") -> Page:
    return Page(
        url=link,
        final_url=final_url or link,
        status=200,
        content=content,
        content_type="text/html",
        fetched_at=datetime.now(UTC),
    )


class Site:
    """A Fetcher that notes when it was asked for what, and answers what a test puts in."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.asked: list[tuple[float, str]] = []
        self.answer: Callable[[str], Page] = page

    def fetch(
        self, link: str, *, wanted: Wanted = "page", etag: str = "", last_modified: str = ""
    ) -> Page | None:
        self.asked.append((self.clock.now - 1000, link))
        return self.answer(link)

    @property
    def times(self) -> list[float]:
        return [time for time, _ in self.asked]

    def close(self) -> None:
        """Nothing is held open."""


def refusing(
    kind: FailureKind, *, times: int = 10**6, retry_after_s: float | None = None
) -> Callable[[str], Page]:
    """Fails so often, and then answers."""
    left = iter(range(times))

    def answer(link: str) -> Page:
        if next(left, None) is None:
            return page(link)
        raise CrawlError(link, "HTTP 500", kind=kind, retry_after_s=retry_after_s, page=page(link))

    return answer


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def site(clock: Clock) -> Site:
    return Site(clock)


def polite(
    site: Site,
    *,
    interval_s: float = 1.0,
    per_host: int = 1,
    retries: int = 2,
    jitter: float = 0.0,
) -> PoliteFetcher:
    politeness = Politeness(
        interval_s=interval_s,
        per_host=per_host,
        retries=retries,
        clock=site.clock,
        sleep=site.clock.sleep,
        jitter=lambda: jitter,
    )
    return PoliteFetcher(site, politeness, obey_robots=False)


def test_requests_to_one_host_start_an_interval_apart(site: Site) -> None:
    fetcher = polite(site, interval_s=2)
    for link in (LINK, "https://SITE.example./other", "http://site.example:8080/third"):
        fetcher.fetch(link)
    assert site.times == [0, 2, 4]


def test_other_hosts_do_not_wait(site: Site) -> None:
    fetcher = polite(site)
    for host in ("a.example", "b.example", "www.a.example"):
        fetcher.fetch(f"http://{host}/")
    assert site.times == [0, 0, 0]


def test_time_that_passed_by_itself_counts(site: Site, clock: Clock) -> None:
    fetcher = polite(site, interval_s=2)
    fetcher.fetch(LINK)
    clock.sleep(1.5)
    fetcher.fetch(LINK)
    clock.sleep(60)
    fetcher.fetch(LINK)
    assert site.times == [0, 2, 62]


def test_without_an_interval_nobody_waits(site: Site) -> None:
    fetcher = polite(site, interval_s=0)
    for _ in range(100):
        fetcher.fetch(LINK)
    assert set(site.times) == {0}


@pytest.mark.parametrize("kind", ["busy", "unreachable"])
def test_what_may_pass_is_tried_again_after_longer_and_longer_waits(
    site: Site, kind: FailureKind
) -> None:
    site.answer = refusing(kind, times=2)
    assert polite(site, interval_s=0).fetch(LINK) is not None
    assert site.times == [0, 1, 3]


def test_waits_are_shorter_by_up_to_half_at_random(site: Site) -> None:
    site.answer = refusing("unreachable", times=2)
    polite(site, interval_s=0, jitter=1.0).fetch(LINK)
    assert site.times == [0, 0.5, 1.5]


def test_in_the_end_the_last_error_is_raised(site: Site) -> None:
    site.answer = refusing("unreachable")
    with pytest.raises(CrawlError, match="HTTP 500") as raised:
        polite(site, interval_s=0, retries=3).fetch(LINK)
    assert (raised.value.kind, len(site.asked)) == ("unreachable", 4)
    assert raised.value.page is not None


@pytest.mark.parametrize(
    "kind", ["gone", "refused", "unsafe", "not text", "too large", "damaged", "failed", "empty"]
)
def test_what_will_not_pass_is_tried_once(site: Site, kind: FailureKind) -> None:
    site.answer = refusing(kind)
    with pytest.raises(CrawlError):
        polite(site).fetch(LINK)
    assert len(site.asked) == 1


def test_a_server_that_says_when_to_come_back_is_believed(site: Site) -> None:
    site.answer = refusing("busy", times=1, retry_after_s=30)
    fetcher = polite(site)
    assert fetcher.fetch(LINK) is not None
    fetcher.fetch("http://other.example/")
    assert site.times == [0, 30, 30]


def test_the_whole_host_is_left_alone_until_then(site: Site, clock: Clock) -> None:
    site.answer = refusing("busy", times=1, retry_after_s=30)
    fetcher = polite(site, retries=0)
    with pytest.raises(CrawlError, match="HTTP 500"):
        fetcher.fetch(LINK)
    clock.sleep(10)
    fetcher.fetch("http://site.example/other")
    assert site.times == [0, 30]


def test_a_server_that_asks_for_too_long_is_not_waited_for(site: Site, clock: Clock) -> None:
    site.answer = refusing("busy", times=1, retry_after_s=120)
    fetcher = polite(site)
    reason = "HTTP 500; asked to come back in 120 s"
    with pytest.raises(CrawlError) as raised:
        fetcher.fetch(LINK)
    assert (raised.value.reason, raised.value.kind) == (reason, "busy")
    assert (raised.value.retry_after_s, clock.now) == (120, 1000)
    clock.sleep(100)
    with pytest.raises(CrawlError) as raised:
        fetcher.fetch("http://site.example/other")
    assert (raised.value.reason, raised.value.retry_after_s) == (reason, 20)
    clock.sleep(20)
    assert fetcher.fetch("http://site.example/third") is not None
    assert site.times == [0, 120]


@pytest.mark.parametrize("kind", ["busy", "unreachable"])
def test_a_host_that_never_answers_is_given_up(site: Site, clock: Clock, kind: FailureKind) -> None:
    site.answer = refusing(kind)
    fetcher = polite(site, interval_s=0, retries=0)
    for _ in range(BREAK_AFTER):
        with pytest.raises(CrawlError, match="HTTP 500"):
            fetcher.fetch(LINK)
    for _ in range(100):
        with pytest.raises(CrawlError, match=r"site\.example failed 5 links in a row") as raised:
            fetcher.fetch(LINK)
        assert raised.value.kind == kind
    assert len(site.asked) == BREAK_AFTER
    site.answer = page
    assert fetcher.fetch("http://other.example/") is not None


def test_a_host_that_was_given_up_is_tried_again_later(site: Site, clock: Clock) -> None:
    site.answer = refusing("unreachable", times=BREAK_AFTER + 1)
    fetcher = polite(site, interval_s=0, retries=0)
    for _ in range(BREAK_AFTER):
        with pytest.raises(CrawlError, match=r"page: HTTP 500$"):
            fetcher.fetch(LINK)
    clock.sleep(BREAK_S + 1)
    for reason in ("HTTP 500", "5 links in a row"):
        with pytest.raises(CrawlError, match=reason):
            fetcher.fetch(LINK)
    clock.sleep(BREAK_S + 1)
    assert fetcher.fetch(LINK) is not None


@pytest.mark.parametrize("kind", ["gone", "refused", "not text"])
def test_any_answer_shows_that_a_host_is_alive(site: Site, kind: FailureKind) -> None:
    fetcher = polite(site, interval_s=0, retries=0)
    for answer in (refusing("unreachable"), refusing(kind), refusing("unreachable")):
        site.answer = answer
        for _ in range(BREAK_AFTER - 1):
            with pytest.raises(CrawlError, match="HTTP 500"):
                fetcher.fetch(LINK)


class Gate:
    """A Fetcher whose answers wait until they are let go."""

    def __init__(self) -> None:
        self.arrived = threading.Semaphore(0)
        self.let_go = threading.Semaphore(0)
        self.order: list[str] = []
        self.inside = 0
        self.most = 0
        self._lock = threading.Lock()

    def fetch(
        self, link: str, *, wanted: Wanted = "page", etag: str = "", last_modified: str = ""
    ) -> Page | None:
        with self._lock:
            self.order.append(link)
            self.inside += 1
            self.most = max(self.most, self.inside)
        self.arrived.release()
        assert self.let_go.acquire(timeout=10)
        with self._lock:
            self.inside -= 1
        return page(link)

    def close(self) -> None:
        """Nothing is held open."""


def in_threads(fetch: Callable[[str], object], links: list[str]) -> list[threading.Thread]:
    threads = [threading.Thread(target=fetch, args=(link,)) for link in links]
    for thread in threads:
        thread.start()
    return threads


def joined(threads: list[threading.Thread]) -> bool:
    for thread in threads:
        thread.join(timeout=10)
    return not any(thread.is_alive() for thread in threads)


@pytest.mark.parametrize("per_host", [1, 3])
def test_a_host_is_asked_by_so_many_at_once_and_no_more(per_host: int) -> None:
    gate = Gate()
    politeness = Politeness(interval_s=0, per_host=per_host)
    fetcher = PoliteFetcher(gate, politeness, obey_robots=False)
    threads = in_threads(fetcher.fetch, [f"http://site.example/{i}" for i in range(8)])
    for _ in range(per_host):
        assert gate.arrived.acquire(timeout=10)
    assert not gate.arrived.acquire(timeout=0.1)
    gate.let_go.release(8)
    assert joined(threads)
    assert (gate.most, len(gate.order)) == (per_host, 8)


def test_hosts_do_not_take_each_others_places() -> None:
    gate = Gate()
    fetcher = PoliteFetcher(gate, Politeness(), obey_robots=False)
    threads = in_threads(fetcher.fetch, [f"http://host{i}.example/" for i in range(20)])
    for _ in range(20):
        assert gate.arrived.acquire(timeout=10)
    gate.let_go.release(20)
    assert joined(threads)
    assert gate.most == 20


def failures_of(fetch: Callable[[str], object], failures: list[str]) -> Callable[[str], None]:
    def fetch_and_note(link: str) -> None:
        try:
            fetch(link)
        except CrawlError as error:
            failures.append(f"{error.kind}: {error.reason}")

    return fetch_and_note


def test_a_stopped_crawl_lets_everyone_go_who_waits_in_line() -> None:
    gate = Gate()
    politeness = Politeness(interval_s=0)
    fetcher = PoliteFetcher(gate, politeness, obey_robots=False)
    failures: list[str] = []
    links = [f"http://site.example/{i}" for i in range(8)]
    threads = in_threads(failures_of(fetcher.fetch, failures), links)
    assert gate.arrived.acquire(timeout=10)
    politeness.stop()
    gate.let_go.release()
    assert joined(threads)
    assert failures == ["failed: the crawl was stopped"] * 7
    with pytest.raises(CrawlError, match="the crawl was stopped"):
        fetcher.fetch("http://other.example/")


@pytest.mark.parametrize("answer", [page, refusing("unreachable", retry_after_s=50)])
def test_a_stopped_crawl_wakes_who_waits_for_an_interval_or_a_repetition(
    answer: Callable[[str], Page],
) -> None:
    site = Site(Clock())
    site.answer = answer
    asked = threading.Event()
    politeness = Politeness(interval_s=3600)

    def note_and_answer(link: str) -> Page:
        asked.set()
        return answer(link)

    site.answer = note_and_answer
    fetcher = PoliteFetcher(site, politeness, obey_robots=False)
    failures: list[str] = []
    threads = in_threads(failures_of(fetcher.fetch, failures), [LINK, LINK])
    assert asked.wait(timeout=10)
    politeness.stop()
    assert joined(threads)
    assert set(failures) == {"failed: the crawl was stopped"}


def test_a_redirect_stands_in_line_for_its_own_host(site: Site, clock: Clock) -> None:
    politeness = Politeness(interval_s=2, clock=clock, sleep=clock.sleep)
    starts: list[tuple[str, float]] = []

    def visit(link: str, *hops: str) -> None:
        with politeness.asked(link, lambda turn: turn, lambda _: None) as turn:
            starts.append((link, clock.now - 1000))
            for hop in hops:
                turn.redirected(hop)
                starts.append((hop, clock.now - 1000))

    visit("http://a.example/1", "http://b.example/1", "http://a.example/2")
    visit("http://b.example/2")
    assert [time for _, time in starts] == [0, 0, 2, 2]


@pytest.mark.parametrize(("answer_s", "starts"), [(0.1, [0, 2.6, 5.2]), (5.0, [0, 5.5, 11])])
def test_the_interval_counts_from_when_the_server_saw_the_request(
    clock: Clock, answer_s: float, starts: list[float]
) -> None:
    politeness = Politeness(interval_s=2, clock=clock, sleep=clock.sleep)
    found = []

    def ask(turn: Turn) -> None:
        found.append(round(clock.now - 1000, 3))
        clock.sleep(0.5)  # connecting
        turn.sent()
        clock.sleep(answer_s)
        turn.arrived()

    for _ in range(3):
        politeness.ask(LINK, ask, lambda _: None)
    assert found == starts


def test_an_answer_on_its_way_for_long_delays_the_next_by_a_quarter(clock: Clock) -> None:
    politeness = Politeness(interval_s=2, per_host=2, clock=clock, sleep=clock.sleep)
    with politeness.asked(LINK, lambda turn: turn, lambda _: None) as turn:
        turn.sent()
        clock.sleep(1)
        turn.arrived()
        with politeness.asked(LINK, lambda _: clock.now - 1000, lambda _: None) as started:
            assert started == pytest.approx(2.5)


def test_a_redirect_to_a_host_that_fails_does_not_speak_against_the_first(site: Site) -> None:
    clock = site.clock
    politeness = Politeness(interval_s=0, retries=0, clock=clock, sleep=clock.sleep)

    def follow(turn: object) -> None:
        turn.redirected("http://dead.example/")  # type: ignore[attr-defined]
        raise CrawlError(LINK, "connection failed", kind="unreachable")

    for _ in range(BREAK_AFTER):
        with pytest.raises(CrawlError, match="connection failed"):
            politeness.ask(LINK, follow, lambda _: None)
    with pytest.raises(CrawlError, match=r"dead\.example failed 5 links in a row"):
        politeness.ask(LINK, follow, lambda _: None)
    assert politeness.ask(LINK, lambda _: "fine", lambda _: None) == "fine"


def test_an_error_of_another_kind_gives_the_place_back(site: Site) -> None:
    fetcher = polite(site)

    def broken(link: str) -> Page:
        raise RuntimeError(link)

    site.answer = broken
    with pytest.raises(RuntimeError):
        fetcher.fetch(LINK)
    site.answer = page
    assert fetcher.fetch(LINK) is not None


@pytest.mark.parametrize(
    "link", ["file:///etc/passwd", "http:///page", "http://[::1/", "http://u@h/"]
)
def test_a_link_without_a_host_is_left_to_the_fetcher_below(link: str) -> None:
    memory = MemoryFetcher({})
    with pytest.raises(CrawlError) as raised:
        PoliteFetcher(memory, Politeness(interval_s=3600)).fetch(link)
    assert raised.value.kind in {"malformed", "unsafe"}


def test_only_a_fetcher_that_downloads_can_be_asked_to(site: Site) -> None:
    with (
        pytest.raises(TypeError, match="Site cannot download"),
        polite(site).download(LINK, max_bytes=1),
    ):
        pytest.fail("it cannot")


@pytest.mark.parametrize(
    ("contact", "header"),
    [
        ("", USER_AGENT),
        ("crawler@site.example", f"{USER_AGENT} (+crawler@site.example)"),
        ("https://site.example/bot", f"{USER_AGENT} (+https://site.example/bot)"),
    ],
)
def test_the_crawler_says_who_runs_it(contact: str, header: str) -> None:
    assert user_agent(contact) == header


def test_the_crawler_names_the_version_of_the_project() -> None:
    project = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    name, _, version = USER_AGENT.partition("/")
    assert name == project["project"]["name"]
    assert project["project"]["version"].startswith(version)


@pytest.mark.parametrize(
    "contact",
    ["a@b.example\r\nX-Evil: 1", "a@b.example\x00", "a b@c.example", "me", "a@b.example) x (", "ü@b.example"],
)  # fmt: skip
def test_a_contact_that_is_none_is_refused(contact: str) -> None:
    with pytest.raises(ConfigurationError, match="must be an e-mail address"):
        user_agent(contact)
