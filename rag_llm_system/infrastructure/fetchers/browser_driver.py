"""Selenium's side of the browser: commands to its one tab, and what can go wrong with them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import urllib3.exceptions
from selenium import webdriver
from selenium.common import exceptions as selenium_errors
from selenium.webdriver.chrome.remote_connection import ChromeRemoteConnection
from selenium.webdriver.common.proxy import Proxy, ProxyType
from selenium.webdriver.remote.client_config import ClientConfig

from rag_llm_system.infrastructure.fetchers.browser_flags import DEVTOOLS_SETUP, options
from rag_llm_system.infrastructure.fetchers.browser_installation import Installation
from rag_llm_system.infrastructure.fetchers.browser_process import BrowserFailed, BrowserProcess

BLANK = "about:blank"
_START_TIMEOUT_S = 60
_COMMAND_MARGIN_S = (
    5  # the driver's own timeout comes first, unless the page keeps the browser busy
)
# How ChromeDriver says that browser or tab are gone, in errors of the kind that may mean anything
_REPLACED = "no such execution context"
_GONE = ("crashed", "disconnected", "not reachable", _REPLACED)


class TookTooLong(Exception):
    """No end in time; the text says what was waited for."""


class CommandFailed(Exception):
    """The browser lives, and says no."""


class BrowserDriver:
    """A started browser. Every method but ``stop`` raises BrowserFailed when it is gone, and TookTooLong.

    A command that had no answer leaves the browser in an unknown state: it is to be stopped then.
    """

    def __init__(
        self,
        installation: Installation,
        *,
        proxy_port: int,
        page_timeout_s: float,
        max_memory_mb: int,
        user_agent: str,
        extra_args: Sequence[str],
    ) -> None:
        self.process = BrowserProcess(installation.driver, max_memory_mb=max_memory_mb)
        address = f"http://127.0.0.1:{self.process.port}"
        self._config = ClientConfig(
            address,
            timeout=_START_TIMEOUT_S,
            proxy=Proxy({"proxyType": ProxyType.DIRECT}),
            # no second try: a command without an answer is answered by ending the browser
            init_args_for_pool_manager={"init_args_for_pool_manager": {"retries": False}},
        )
        self._connection = ChromeRemoteConnection(address, client_config=self._config)
        chosen = options(
            installation.browser,
            self.process.folder,
            proxy_port=proxy_port,
            user_agent=user_agent,
            extra=extra_args,
        )
        try:
            with translated():
                self._driver = webdriver.Remote(self._connection, options=chosen)
                self._driver.set_page_load_timeout(page_timeout_s)
                self._config.timeout = int(page_timeout_s + _COMMAND_MARGIN_S)
                self.tab = self._driver.current_window_handle  # the id of the tab's main frame too
            for command, arguments in DEVTOOLS_SETUP:
                self.devtools(command, arguments)
        except (CommandFailed, TookTooLong, BrowserFailed) as error:
            self.stop()
            raise BrowserFailed(f"the browser did not start: {error}") from error

    def stop(self) -> None:
        """Ends it at once, whatever it is doing; a command under way in another thread raises BrowserFailed."""
        self.process.stop()
        self._connection.close()  # type: ignore[no-untyped-call]

    def open(self, url: str) -> None:
        """Returns when the document is there as a whole, or an error page; raises CommandFailed for some errors."""
        with translated():
            self._driver.get(url)

    def devtools(self, command: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """One command of the DevTools protocol; raises CommandFailed."""
        with translated():
            answer: dict[str, Any] = self._driver.execute_cdp_cmd(command, dict(arguments))
        return answer

    def evaluate(self, script: str) -> Any:
        """The value of a script's last expression, awaited; raises CommandFailed.

        It runs beside the page's own scripts, which cannot change what it sees of the language and the page.
        """
        world = self.devtools("Page.createIsolatedWorld", {"frameId": self.tab})
        answer = self.devtools(
            "Runtime.evaluate",
            {
                "expression": script,
                "contextId": world["executionContextId"],
                "awaitPromise": True,
                "returnByValue": True,
            },
        )
        if "exceptionDetails" in answer:
            raise CommandFailed(str(answer["exceptionDetails"].get("text", "script error")))
        return answer["result"].get("value")

    def events(self) -> list[dict[str, Any]]:
        """The tab's events of the DevTools protocol since the last call."""
        with translated():
            entries = self._driver.execute("getLog", {"type": "performance"})["value"]
        messages = (json.loads(entry["message"]) for entry in entries)
        return [message["message"] for message in messages if message["webview"] == self.tab]

    def leave(self) -> None:
        """Ends the page's scripts, and closes what it opened."""
        with translated():
            opened = [window for window in self._driver.window_handles if window != self.tab]
            for window in opened:
                self._driver.switch_to.window(window)
                self._driver.close()
            if opened:
                self._driver.switch_to.window(self.tab)
            self._driver.get(BLANK)

    def forget(self) -> None:
        """Removes cookies, storage and cache of all hosts."""
        self.devtools("Storage.clearDataForOrigin", {"origin": "*", "storageTypes": "all"})
        self.devtools("Network.clearBrowserCookies", {})
        self.devtools("Network.clearBrowserCache", {})


@contextmanager
def translated() -> Iterator[None]:
    """Selenium's errors, and those of the HTTP library below it, as ours."""
    try:
        yield
    except selenium_errors.TimeoutException as error:
        if _REPLACED in str(error.msg):
            # no time ran out: ChromeDriver gives up so after its second try in a document that was replaced
            raise CommandFailed(_REPLACED) from error
        raise TookTooLong("no complete answer in time") from error
    except urllib3.exceptions.ReadTimeoutError as error:
        raise TookTooLong("the page's scripts keep the browser busy") from error
    except (
        selenium_errors.InvalidSessionIdException,
        selenium_errors.NoSuchWindowException,
        selenium_errors.SessionNotCreatedException,
    ) as error:
        raise BrowserFailed(_first_line(error)) from error
    except selenium_errors.WebDriverException as error:
        line = _first_line(error)
        kind = BrowserFailed if any(sign in line for sign in _GONE) else CommandFailed
        raise kind(line) from error
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise BrowserFailed("the browser's driver does not answer") from error


def _first_line(error: selenium_errors.WebDriverException) -> str:
    lines = (error.msg or type(error).__name__).strip().splitlines()
    return lines[0] if lines else type(error).__name__
