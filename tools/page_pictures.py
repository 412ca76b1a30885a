"""Pictures of the chat page for the docs, taken in a real browser: ``poe record-sessions -- --pictures``."""

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.expected_conditions import element_to_be_clickable
from selenium.webdriver.support.ui import WebDriverWait

from rag_llm_system.domain.errors import BackendError, MissingFile
from rag_llm_system.infrastructure.fetchers.browser_installation import NoBrowser, find_installation
from rag_llm_system.settings import PROJECT_ROOT
from tools.ports import free_port

_HOST = "127.0.0.1"
_READY_S, _ANSWER_S = 180.0, 60.0
_SIZE = "--window-size=1280,860"
_FLAGS = ("--headless=new", "--no-sandbox", "--hide-scrollbars", "--disable-dev-shm-usage", _SIZE)

QUESTIONS = {
    "code": "How does authentication work?",
    "movies": "I want a dark sci-fi movie like Inception.",
}
"""Assistant, as the page's choice has it, to what it is asked."""


def take_pictures(data_dir: str, folder: Path) -> list[Path]:
    """One picture for each assistant, of the index in ``data_dir``. Raises MissingFile where there is no browser."""
    folder.mkdir(parents=True, exist_ok=True)
    with _server(data_dir) as address, _browser(data_dir) as driver:
        return [
            _asked(driver, address, assistant, question, folder / f"{assistant}-page.png")
            for assistant, question in QUESTIONS.items()
        ]


@contextmanager
def _server(data_dir: str) -> Iterator[str]:
    """The RAG API on a free port, ready."""
    port = free_port(_HOST, 0)
    process = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "tools.ml_service", "--port", str(port)],
        cwd=PROJECT_ROOT,
        env={**os.environ, "DATA_DIR": data_dir},
    )
    try:
        address = f"http://{_HOST}:{port}"
        give_up = time.monotonic() + _READY_S
        while not _is_ready(address):
            if process.poll() is not None or time.monotonic() > give_up:
                raise BackendError(f"the RAG API at {address} did not become ready; see above")
            time.sleep(0.5)
        yield address
    finally:
        process.terminate()
        process.wait()


def _is_ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/ready", timeout=5):  # noqa: S310 - our own server
            return True
    except OSError:
        return False


@contextmanager
def _browser(data_dir: str) -> Iterator[webdriver.Chrome]:
    try:
        installed = find_installation()
    except NoBrowser as error:
        raise MissingFile(str(error)) from error
    options = webdriver.ChromeOptions()
    options.binary_location = installed.browser
    for flag in (*_FLAGS, f"--user-data-dir={data_dir}/browser"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options, Service(installed.driver))
    try:
        yield driver
    finally:
        driver.quit()


def _asked(
    driver: webdriver.Chrome, address: str, assistant: str, question: str, picture: Path
) -> Path:
    """The page after its answer is whole."""
    driver.get(address)
    waiting = WebDriverWait(driver, _ANSWER_S)
    choice = (By.XPATH, f"//input[@name='assistant'][@value='{assistant}']/..")
    waiting.until(element_to_be_clickable(choice)).click()
    box = waiting.until(element_to_be_clickable((By.CSS_SELECTOR, "#composer textarea")))
    box.send_keys(question + "\n")
    waiting.until(lambda d: d.find_elements(By.CSS_SELECTOR, ".turn .sources li"))
    driver.execute_script("window.scrollTo(0, 0)")
    picture.write_bytes(driver.get_screenshot_as_png())
    return picture
