"""The chat page in a real browser, as its tests use it: by what a reader sees and presses."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from rag_llm_system.infrastructure.fetchers.browser_installation import find_installation
from tests.browser_site import wait_until
from tests.chat_stub import Stub, serving

_FLAGS = (
    "--headless=new",
    "--no-sandbox",  # the page is ours, and containers run tests as root
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-extensions",
    "--no-first-run",
    "--remote-debugging-pipe",
)
# The browser writes down each answer with an error status; those are part of the tests
_EXPECTED = "Failed to load resource"


@contextmanager
def browser(folder: Path) -> Iterator[webdriver.Chrome]:
    installed = find_installation()
    options = webdriver.ChromeOptions()
    options.binary_location = installed.browser
    for flag in (*_FLAGS, f"--user-data-dir={folder / 'profile'}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    options.unhandled_prompt_behavior = "accept"
    driver = webdriver.Chrome(options, Service(installed.driver))
    try:
        yield driver
    finally:
        driver.quit()


@contextmanager
def chat(folder: Path) -> Iterator["ChatPage"]:
    """A browser, and a server for it."""
    with serving(Stub()) as stub, browser(folder) as driver:
        yield ChatPage(driver, stub)


class ChatPage:
    """Methods wait for what they look for, and fail when it does not come."""

    def __init__(self, driver: webdriver.Chrome, stub: Stub) -> None:
        self.driver = driver
        self.stub = stub

    def open(self) -> None:
        self.driver.get(self.stub.url)
        self.until(lambda: self.all("#composer select[name=author_full_name] option"))

    def fresh(self) -> None:
        """As for somebody who comes for the first time, with a wide window."""
        self.stub.reset()
        self.resize(1280, 800)
        if self.driver.current_url == self.stub.url:
            self.run("localStorage.clear(); sessionStorage.clear()")
        self.driver.get_log("browser")
        self.open()

    def complaints(self) -> list[str]:
        """What the browser wrote into its log: violated policies, errors of scripts."""
        said = [str(entry["message"]) for entry in self.driver.get_log("browser")]
        return [line for line in said if _EXPECTED not in line]

    def resize(self, width: int, height: int) -> None:
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
        )

    def run(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def module(self, name: str, script: str, *arguments: Any) -> Any:
        """The value of an async function's body, in which ``it`` is one of the page's modules."""
        done = self.driver.execute_async_script(
            f"const done = arguments[arguments.length - 1]; const given = [...arguments].slice(0, -1);"
            f"import('/static/{name}').then(async (it) => {{ {script} }})"
            ".then((value) => done([value]), (error) => done(String(error)));",
            *arguments,
        )
        assert isinstance(done, list), done
        return done[0]

    def until(self, is_so: Callable[[], Any]) -> None:
        def ask() -> Any:
            try:
                return is_so()
            except StaleElementReferenceException:
                return False  # it was replaced in between

        assert wait_until(ask, timeout_s=20), self.text("body")

    def all(self, selector: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector: str) -> WebElement:
        self.until(lambda: self.all(selector))
        return self.all(selector)[0]

    def text(self, selector: str) -> str:
        """All text inside, shown or not."""
        return str(self.one(selector).get_property("innerText"))

    def says(self, selector: str, text: str) -> None:
        """Waits until the shown text is there."""
        self.until(lambda: any(text in element.text for element in self.all(selector)))

    def press(self, selector: str) -> None:
        element = self.one(selector)
        self.run("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()

    def type(self, *keys: str) -> None:
        """Into whatever has the focus."""
        self.driver.switch_to.active_element.send_keys(*keys)

    def focused(self) -> str:
        """The name of what has the focus, as a screen reader would say it, or its text."""
        return str(self.driver.switch_to.active_element.accessible_name)

    def ask(self, question: str) -> None:
        """Sends it; does not wait for the answer."""
        self.one("#question").send_keys(question, Keys.ENTER)

    def answered(self, question: str) -> None:
        """Sends it and waits for the answer's end."""
        before = len(self.all(".turn"))
        self.ask(question)
        self.until(
            lambda: len(self.all(".turn")) == before + 1 and not self.all(".turn[aria-busy]")
        )
