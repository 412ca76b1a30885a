"""Where Chromium and ChromeDriver are on this machine."""

import shutil
from typing import NamedTuple

from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.selenium_manager import SeleniumManager

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
DRIVERS = ("chromedriver",)
HOW_TO_INSTALL = (
    "apt-get install chromium chromium-driver (Debian), or install Chrome or Chromium and the chromedriver "
    "of the same version where PATH finds them; or say browser: off in the config, to do without"
)


class NoBrowser(Exception):
    """Browser or driver are not there; the text says which and the way out."""


class Installation(NamedTuple):
    browser: str
    driver: str


def find_installation(browser: str = "", driver: str = "") -> Installation:
    """The named programs, else those on PATH, else those that Selenium Manager downloaded earlier.

    Nothing is downloaded. Raises NoBrowser.
    """
    browser_path = _on_path((browser,) if browser else BROWSERS)
    driver_path = _on_path((driver,) if driver else DRIVERS)
    for name, path in ((browser, browser_path), (driver, driver_path)):
        if name and not path:
            raise NoBrowser(f"{name!r} is not a program that can be run; {HOW_TO_INSTALL}")
    if browser_path and driver_path:
        return Installation(browser_path, driver_path)
    if cached := _downloaded():
        return Installation(browser_path or cached.browser, driver_path or cached.driver)
    missing = "chromedriver" if browser_path else "browser"
    raise NoBrowser(f"no {missing} is installed: {HOW_TO_INSTALL}")


def _on_path(names: tuple[str, ...]) -> str:
    return next((path for name in names if (path := shutil.which(name))), "")


def _downloaded() -> Installation | None:
    """What Selenium Manager finds without the network: it keeps what other programs had it download."""
    arguments = ["--browser", "chrome", "--offline", "--avoid-stats", "--skip-driver-in-path"]
    try:
        found = SeleniumManager().binary_paths(arguments)
    except WebDriverException:
        return None  # nothing there
    browser, driver = found.get("browser_path", ""), found.get("driver_path", "")
    if not (_on_path((browser,)) and _on_path((driver,))):
        return None
    return Installation(browser, driver)
