"""When a page that scripts make is complete: what to look at, and when to wait, to scroll and to stop.

"Nothing changed for a while" alone is wrong: a page whose text arrives after a second has not changed for the first
half of it. So a page is waited for until it has text, until what it asked for has arrived, and until it stops growing.
"""

import re
from typing import Literal, NamedTuple

ENOUGH_CHARS = 500  # about 80 words, the least that the crawler takes for an article
LOOK_EVERY_S = 0.1
_CALM_S = 0.25  # text that came with the document, and that scripts have left alone so far
_QUIET_S = 0.5  # text that grew before our eyes
_THIN_QUIET_S = 3.0  # hardly any text: what brings it may be a timer, which shows nowhere
_REQUEST_PATIENCE_S = 4.0  # for an answer while there is text; long polls never end
_SCROLL_CALM_S = 0.4  # after the first scroll, with no sign that the page takes note of it
_SCROLL_QUIET_S = 1.5  # after one that made the page grow

Next = Literal["wait", "scroll", "done"]

LOOK = """(() => {
  const page = document.scrollingElement || document.documentElement, body = document.body;
  const text = body ? body.innerText : '';
  const runs = script => !script.type || /javascript|ecmascript|module/i.test(script.type);
  const scripted = [...document.querySelectorAll('script')].some(runs)
    || !!document.querySelector('meta[http-equiv=refresh i], [onload], [onerror]');
  return {
    complete: document.readyState === 'complete',
    scripted,
    alive: scripted || !!document.querySelector('iframe, frame, object, embed'),
    chars: text.length,
    height: page ? page.scrollHeight : 0,
    view: innerHeight,
    title: document.title.slice(0, 200),
    words: text.slice(0, 500),
  };
})()"""
"""A script for one look at a page."""

SCROLL = """(async () => {
  const page = document.scrollingElement || document.documentElement;
  const frame = () => new Promise(next => {
    requestAnimationFrame(() => setTimeout(next, 0));
    setTimeout(next, 100);
  });
  for (let step = 0; step < 20 && scrollY + innerHeight < page.scrollHeight - 2; step++) {
    scrollTo({top: scrollY + innerHeight, behavior: 'instant'});
    await frame();
  }
  scrollTo({top: page.scrollHeight, behavior: 'instant'});
  await frame();
})()"""
"""A script that goes down to the end, screen by screen: parts in between may load when they come into view."""

# Pages that say "wait" and reload by themselves when a browser has run their scripts
_CHALLENGE = re.compile(
    r"just a moment|checking your browser|verify(ing)? (that )?you are (a )?human|security check"
    r"|attention required|ddos protection|one moment, please",
    re.IGNORECASE,
)
_CHALLENGE_CHARS = 2_000  # an article about challenges is longer


class Look(NamedTuple):
    """What one look at a page shows; lengths in characters, heights in CSS pixels.

    ``scripted``: it may change by itself; ``alive``: it, or what is framed in it, may do something.
    """

    complete: bool
    scripted: bool
    chars: int
    height: int
    view: int
    alive: bool = True
    title: str = ""
    words: str = ""

    @property
    def is_challenge(self) -> bool:
        """Whether the page only asks to wait while it checks the browser."""
        said = f"{self.title}\n{self.words}"
        return self.chars < _CHALLENGE_CHARS and bool(_CHALLENGE.search(said))


class Patience:
    """Decides after each look at one document; times are seconds of any clock that never goes back.

    ``settle_s`` bounds the wait for text, and that after each scroll; ``max_scrolls`` says how many there may be.
    """

    def __init__(self, started_at: float, *, settle_s: float, max_scrolls: int) -> None:
        self._started_at = started_at
        self._settle_s, self._max_scrolls = settle_s, max_scrolls
        self._size = (-1, -1)
        self._changed_at = self._taller_at = started_at
        self._grew = False
        self._scrolls = 0
        self._scrolled_at = started_at
        self._asked = False
        self._grows_by_request = False

    def after(self, look: Look, *, now_s: float, waiting_s: float | None) -> Next:
        """``waiting_s``: how long ago the newest request was sent that has no answer yet, if there is one."""
        self._take_note(look, now_s)
        is_waiting = waiting_s is not None and waiting_s < _REQUEST_PATIENCE_S
        if self._scrolls:
            return self._after_scroll(now_s, is_waiting=is_waiting)
        scrollable = look.scripted and look.height > look.view and self._max_scrolls > 0
        if scrollable and look.complete and look.chars >= ENOUGH_CHARS:
            return self._scroll(now_s)  # what comes late is waited for at the end of the page
        if not self._has_settled(look, now_s, waiting_s):
            return "wait"
        return self._scroll(now_s) if scrollable else "done"

    def _take_note(self, look: Look, now_s: float) -> None:
        if look.height > self._size[1] >= 0:
            self._taller_at = now_s
        if (look.chars, look.height) != self._size:
            self._grew |= self._size != (-1, -1)
            self._size, self._changed_at = (look.chars, look.height), now_s

    def _has_settled(self, look: Look, now_s: float, waiting_s: float | None) -> bool:
        if now_s - self._started_at >= self._settle_s:
            return True
        if not look.complete:
            return False
        if not look.scripted:
            return True
        if look.chars < ENOUGH_CHARS:
            return waiting_s is None and now_s - self._changed_at >= _THIN_QUIET_S
        if waiting_s is not None and waiting_s < _REQUEST_PATIENCE_S:
            return False
        return now_s - self._changed_at >= (_QUIET_S if self._grew else _CALM_S)

    def _scroll(self, now_s: float) -> Next:
        self._grows_by_request |= self._asked
        self._scrolls += 1
        self._scrolled_at = now_s
        self._asked = False
        return "scroll"

    def _after_scroll(self, now_s: float, *, is_waiting: bool) -> Next:
        if now_s - self._scrolled_at >= self._settle_s:
            return "done"
        if is_waiting:
            self._asked = True
            return "wait"
        grew = self._taller_at > self._scrolled_at
        if grew and self._scrolls < self._max_scrolls:
            is_steady = now_s - self._changed_at >= LOOK_EVERY_S  # a batch may arrive in pieces
            return self._scroll(now_s) if is_steady else "wait"
        quiet_s = _SCROLL_QUIET_S if self._scrolls > 1 else _SCROLL_CALM_S
        if self._asked or self._grows_by_request or grew:
            quiet_s = _QUIET_S
        return "done" if now_s - max(self._scrolled_at, self._changed_at) >= quiet_s else "wait"
