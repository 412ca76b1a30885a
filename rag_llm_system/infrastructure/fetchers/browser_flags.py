"""How Chromium is started: alone with our proxy, without pictures, downloads and dialogs."""

import functools
import logging
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from selenium import webdriver

_SMALL_SHARED_MEMORY_BYTES = 512 * 1024 * 1024  # containers have 64 MB, on which pages crash
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - only its size is asked

# Everything Chromium would do in the network besides loading the page
_QUIET = (
    "--disable-background-networking",
    "--disable-breakpad",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-sync",
    "--metrics-recording-only",
    "--no-default-browser-check",
    "--no-first-run",
    "--no-pings",
    "--disable-features=AutofillServerCommunication,BackForwardCache,CertificateTransparencyComponentUpdater,"
    "HttpsFirstBalancedModeAutoEnable,HttpsUpgrades,MediaRouter,NetworkTimeServiceQuerying,OptimizationHints,"
    "Prerender2,Translate",
)
# Chromium asks these for updates, sign-in and the like, some of them (seen with 156) whatever its flags say; the text
# of a page is on none of them.
OWN_SERVICES = frozenset(
    {
        "accounts.google.com",
        "android.clients.google.com",
        "clients2.google.com",
        "content-autofill.googleapis.com",
        "edgedl.me.gvt1.com",
        "mtalk.google.com",
        "optimizationguide-pa.googleapis.com",
        "redirector.gvt1.com",
        "safebrowsing.googleapis.com",
        "update.googleapis.com",
    }
)
# A page in the background would be slowed down, and nobody looks at ours
_AWAKE = (
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
)
_NO_MEDIA = (
    "--autoplay-policy=document-user-activation-required",
    "--blink-settings=imagesEnabled=false",
    "--deny-permission-prompts",
    "--disable-remote-fonts",
    "--mute-audio",
)
_PREFERENCES = {
    "credentials_enable_service": False,
    "download_restrictions": 3,  # all downloads
    "net.network_prediction_options": 2,  # none
    "plugins.always_open_pdf_externally": True,  # which makes a download of it
    "profile.default_content_setting_values.images": 2,
    "profile.default_content_setting_values.notifications": 2,
    "profile.default_content_setting_values.popups": 2,
    "safebrowsing.enabled": False,
    "search.suggest_enabled": False,
    "session.restore_on_startup": 4,  # these pages, and not the search engine's
    "session.startup_urls": ["about:blank"],
    "webrtc.ip_handling_policy": "disable_non_proxied_udp",
}
_ON_EVERY_PAGE = """
for (const name of ['alert', 'print', 'close']) window[name] = () => undefined;
window.confirm = () => false;
window.prompt = () => null;
"""
_FILES_NOT_LOADED = (
    "favicon.ico",
    ".mp3",
    ".mp4",
    ".m4a",
    ".webm",
    ".ogg",
    ".wav",
    ".mov",
    ".m3u8",
)

DEVTOOLS_SETUP = (
    ("Page.addScriptToEvaluateOnNewDocument", {"source": _ON_EVERY_PAGE}),
    ("Page.setDownloadBehavior", {"behavior": "deny"}),
    ("Network.setBypassServiceWorker", {"bypass": True}),
    ("Network.setBlockedURLs", {"urls": [f"*{name}*" for name in _FILES_NOT_LOADED]}),
)
"""Commands of the DevTools protocol for a new tab; dialogs would halt a page, and ``close`` would end it."""

logger = logging.getLogger(__name__)


def options(
    browser: str, folder: Path, *, proxy_port: int, user_agent: str, extra: Sequence[str]
) -> webdriver.ChromeOptions:
    """What ChromeDriver starts the browser with."""
    chosen = webdriver.ChromeOptions()
    chosen.binary_location = browser
    chosen.page_load_strategy = "eager"
    chosen.unhandled_prompt_behavior = "dismiss"
    arguments = [
        "--headless=new",
        "--disable-gpu",
        "--remote-debugging-pipe",  # the browser ends with its driver, and no other process can join
        f"--user-data-dir={folder / 'profile'}",
        "--window-size=1280,800",
        *_only_through(proxy_port),
        *_QUIET,
        *_AWAKE,
        *_NO_MEDIA,
        *_for_this_machine(),
        *([f"--user-agent={user_agent}"] if user_agent else []),
        *extra,
    ]
    for argument in arguments:
        chosen.add_argument(argument)
    # ChromeDriver allows pop-ups by default
    chosen.add_experimental_option("excludeSwitches", ["disable-popup-blocking", "enable-logging"])
    chosen.add_experimental_option("prefs", _PREFERENCES)
    chosen.set_capability("goog:loggingPrefs", {"performance": "ALL"})
    return chosen


def _only_through(proxy_port: int) -> list[str]:
    """Every connection through our proxy. Chromium would leave it out for this machine, hence ``<-loopback>``;
    it must not look up names itself, nor speak UDP."""
    return [
        f"--proxy-server=http://127.0.0.1:{proxy_port}",
        "--proxy-bypass-list=<-loopback>",
        "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
        "--disable-quic",
        "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
        "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    ]


def _for_this_machine() -> list[str]:
    chosen = []
    if os.geteuid() == 0:
        _warn_about_root()
        chosen.append("--no-sandbox")
    if sys.platform == "linux" and _shared_memory_bytes() < _SMALL_SHARED_MEMORY_BYTES:
        chosen.append("--disable-dev-shm-usage")
    return chosen


def _shared_memory_bytes() -> int:
    return shutil.disk_usage(_SHARED_MEMORY).total if _SHARED_MEMORY.exists() else 0


@functools.cache
def _warn_about_root() -> None:
    """Once, and not for each browser."""
    logger.warning(
        "the browser runs without its sandbox, as Chromium does not start with one for root: "
        "run the crawler as another user"
    )
