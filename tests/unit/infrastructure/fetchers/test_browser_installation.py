"""Which browser is used, and what is said when there is none."""

from pathlib import Path

import pytest

from rag_llm_system.domain.errors import CrawlError
from rag_llm_system.infrastructure.fetchers.addresses import AddressRules
from rag_llm_system.infrastructure.fetchers.browser import BrowserFetcher
from rag_llm_system.infrastructure.fetchers.browser_installation import (
    Installation,
    NoBrowser,
    find_installation,
)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder of PATH, and a Selenium Manager that knows nothing."""
    manager = tmp_path / "manager"
    manager.write_text("#!/bin/sh\nexit 1\n")
    manager.chmod(0o755)
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("SE_MANAGER_PATH", str(manager))
    monkeypatch.setenv("PATH", str(folder))
    return folder


def add(folder: Path, *names: str) -> list[str]:
    for name in names:
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)
    return [str(folder / name) for name in names]


def test_chromium_comes_before_chrome(programs: Path) -> None:
    add(programs, "google-chrome", "chromium", "chromedriver")
    assert find_installation() == Installation(
        str(programs / "chromium"), str(programs / "chromedriver")
    )


def test_named_programs_come_before_those_on_the_path(programs: Path, tmp_path: Path) -> None:
    add(programs, "chromium", "chromedriver")
    mine, other = add(tmp_path, "mine", "other")
    assert find_installation(mine, other) == Installation(mine, other)
    assert find_installation(mine).driver == str(programs / "chromedriver")


def test_a_named_program_that_is_not_there_is_no_reason_to_take_another(programs: Path) -> None:
    add(programs, "chromium", "chromedriver")
    with pytest.raises(NoBrowser, match="'/opt/chrome' is not a program that can be run"):
        find_installation("/opt/chrome")


def test_what_is_missing_is_named_with_the_way_to_install_it(programs: Path) -> None:
    with pytest.raises(NoBrowser, match="no browser is installed: apt-get install chromium"):
        find_installation()
    add(programs, "chromium")
    with pytest.raises(NoBrowser, match="no chromedriver is installed: apt-get install chromium"):
        find_installation()


def test_what_selenium_manager_has_is_used_without_the_network(
    programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chrome, driver = add(tmp_path, "cached-chrome", "cached-driver")
    answer = f'{{"logs": [], "result": {{"browser_path": "{chrome}", "driver_path": "{driver}"}}}}'
    arguments = tmp_path / "arguments"
    (tmp_path / "manager").write_text(f"#!/bin/sh\necho \"$@\" > {arguments}\necho '{answer}'\n")
    assert find_installation() == Installation(chrome, driver)
    assert "--offline" in arguments.read_text()
    assert "--avoid-stats" in arguments.read_text()


def test_a_fetcher_without_a_browser_says_so_before_and_when_it_is_asked(programs: Path) -> None:
    reason = BrowserFetcher.why_unavailable()
    assert reason is not None
    assert "apt-get install chromium chromium-driver" in reason
    fetcher = BrowserFetcher(rules=AddressRules())
    with pytest.raises(CrawlError) as raised:
        fetcher.fetch("http://site.example/")
    assert raised.value.kind == "script"
    assert raised.value.reason == f"needs a browser, and {reason}"
    add(programs, "chromium", "chromedriver")
    assert BrowserFetcher.why_unavailable() is None
    fetcher.close()


@pytest.mark.parametrize(
    "link", ["file:///etc/passwd", "view-source:http://site.example/", "chrome://version"]
)
def test_only_web_links_are_tried(programs: Path, link: str) -> None:
    fetcher = BrowserFetcher(rules=AddressRules())
    with pytest.raises(CrawlError, match="only http and https pages can be fetched"):
        fetcher.fetch(link)
    fetcher.close()
