import pytest
from selenium.common.exceptions import TimeoutException, WebDriverException

from rag_llm_system.infrastructure.fetchers.browser_driver import (
    CommandFailed,
    TookTooLong,
    translated,
)
from rag_llm_system.infrastructure.fetchers.browser_process import BrowserFailed


@pytest.mark.parametrize(
    ("error", "ours"),
    [
        # what ChromeDriver says when a document gave way to another one twice during a command
        (
            TimeoutException("timeout\nfrom no such execution context\n  (Session info)"),
            CommandFailed,
        ),
        (TimeoutException("timeout: Timed out receiving message from renderer"), TookTooLong),
        (WebDriverException("unknown error: no such execution context"), BrowserFailed),
        (WebDriverException("javascript error: x is not defined"), CommandFailed),
    ],
)
def test_an_error_of_the_driver_says_whether_the_browser_lives(error, ours):
    with pytest.raises(ours), translated():
        raise error
