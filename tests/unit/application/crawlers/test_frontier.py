"""The frontier takes turns between hosts and keeps to the limit of each."""

from hypothesis import given
from hypothesis import strategies as st

from rag_llm_system.application.crawlers.frontier import Frontier
from rag_llm_system.domain.crawling import LinkState


def state(link: str) -> LinkState:
    return LinkState(author_id="a", link=link)


def frontier_of(*links: str, per_host: int = 1) -> Frontier:
    frontier = Frontier(per_host)
    for link in links:
        frontier.add(state(link))
    return frontier


def taken(frontier: Frontier) -> list[str]:
    return [found.link for found in iter(frontier.take, None)]


def test_hosts_take_turns() -> None:
    frontier = frontier_of("http://a/1", "http://a/2", "http://b/1", "http://b/2", per_host=2)
    assert taken(frontier) == ["http://a/1", "http://b/1", "http://a/2", "http://b/2"]


def test_a_busy_host_waits_until_one_of_its_links_is_done() -> None:
    frontier = frontier_of("http://a/1", "http://a/2", "http://b/1")
    assert taken(frontier) == ["http://a/1", "http://b/1"]
    frontier.done(state("http://a/1"))
    assert taken(frontier) == ["http://a/2"]


def test_a_link_is_added_once_however_it_is_written() -> None:
    frontier = frontier_of("http://a/1")
    assert not frontier.add(state("HTTP://A/1#part"))
    assert len(frontier) == 1


def test_a_link_that_was_done_before_is_not_handed_out() -> None:
    frontier = Frontier(1)
    frontier.skip(state("http://a/1"))
    assert not frontier.add(state("http://a/1"))
    assert frontier.take() is None


@given(
    st.lists(st.sampled_from([f"http://{h}.example/{n}" for h in "abc" for n in range(5)])),
    st.integers(1, 3),
)
def test_every_link_comes_out_once_and_no_host_is_over_its_limit(
    links: list[str], per_host: int
) -> None:
    frontier = frontier_of(*links, per_host=per_host)
    seen: list[str] = []
    while running := [found for found in iter(frontier.take, None)]:
        hosts = [found.link.split("/")[2] for found in running]
        assert all(hosts.count(host) <= per_host for host in hosts)
        seen += [found.link for found in running]
        for found in running:
            frontier.done(found)
    assert sorted(seen) == sorted(set(links))
