"""The chat page in a real browser: for every reader, on every screen, and with texts that mean harm."""

from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from selenium.webdriver.common.keys import Keys

from tests.browser_site import NEEDS_BROWSER
from tests.chat_browser import ChatPage, chat
from tests.chat_stub import PIECES, Gate, source, streamed

pytestmark = NEEDS_BROWSER

# One page for all examples: what is asked of it leaves nothing behind
IN_THE_BROWSER = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
HOSTILE = '<img src=x onerror="window.hit = 1"><script>window.hit = 1</script>'
MARKS = [
    *(
        "# ",
        "1. ",
        "- ",
        "* ",
        "> ",
        "```",
        "~~~",
        "**",
        "*",
        "`",
        " `",
        "[1]",
        "[2]",
        "a",
        "b ",
        "\n",
    ),
    *(
        "\n\n",
        "  ",
        "x",
        "\n- ",
        "\n  - ",
        "2) ",
        "\n    ",
        "https://e.org/",
        "[a](https://e.org)",
        "\\*",
    ),
]
# Contrast of every text that is shown, with the first opaque ground below it: the formulas of WCAG 2.2
WEAK_CONTRASTS = """
const luminance = (rgb) => rgb.slice(0, 3).map((c) => c / 255)
  .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
  .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
const rgba = (colour) => {
  canvas.clearRect(0, 0, 1, 1);
  canvas.fillStyle = colour;
  canvas.fillRect(0, 0, 1, 1);
  return [...canvas.getImageData(0, 0, 1, 1).data];
};
const ground = (element) => {
  for (let at = element; at; at = at.parentElement) {
    const colour = rgba(getComputedStyle(at).backgroundColor);
    if (colour[3] === 255) return colour;
  }
  return rgba('Canvas');
};
const weak = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
let seen = 0;
while (walker.nextNode()) {
  const element = walker.currentNode.parentElement;
  if (!walker.currentNode.data.trim() || !element.checkVisibility() || element.closest(':disabled')) continue;
  seen += 1;
  const [a, b] = [rgba(getComputedStyle(element).color), ground(element)].map(luminance);
  const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (contrast < 4.5) weak.push([walker.currentNode.data.slice(0, 40), contrast]);
}
return [weak, seen > 20];
"""


@pytest.fixture(scope="module")
def browsing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChatPage]:
    with chat(tmp_path_factory.mktemp("chat")) as page:
        yield page


@pytest.fixture
def page(browsing: ChatPage) -> Iterator[ChatPage]:
    browsing.fresh()
    yield browsing
    assert browsing.complaints() == []


def with_everything(page: ChatPage) -> None:
    """One answered turn, one that failed, with sources, details, filters and a panel open."""
    page.stub.answers = [streamed(*PIECES, notes=["A note."], question="Asked otherwise?")]
    page.answered("Who waits?")
    page.stub.answers = [[("token", {"text": "A beginning"})]]
    page.answered("And then?")
    for selector in ("[data-part=up]", "[data-part=summary]", "#options summary", ".citation"):
        page.press(selector)
    page.says("#source h2", "Title 1")


def test_every_control_has_a_name_and_every_reference_a_target(page: ChatPage) -> None:
    with_everything(page)
    controls = page.all("button, a, input, select, textarea, summary, dialog[open]")
    assert [
        one.get_attribute("outerHTML")
        for one in controls
        if one.is_displayed() and not one.accessible_name
    ] == []
    missing = page.run(
        """const references = ['aria-labelledby', 'aria-controls', 'aria-describedby', 'for'];
        return references
        .flatMap((name) => [...document.querySelectorAll(`[${name}]`)].map((one) => one.getAttribute(name)))
        .filter((id) => id && !document.getElementById(id))"""
    )
    assert missing == []
    assert page.run("return [...document.querySelectorAll('[id]')].length") == page.run(
        "return new Set([...document.querySelectorAll('[id]')].map((one) => one.id)).size"
    )


def test_the_page_has_its_landmarks_and_headings_in_order(page: ChatPage) -> None:
    with_everything(page)
    assert len(page.all("h1")) == 1
    assert [
        len(page.all(f"body > {one}, .columns > {one}")) for one in ("header", "nav", "main")
    ] == [
        1,
        1,
        1,
    ]
    levels = page.run(
        "return [...document.querySelectorAll('h1, h2, h3, h4')].filter((one) => one.checkVisibility())"
        ".map((one) => Number(one.tagName[1]))"
    )
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert page.run("return document.documentElement.lang") == "en"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_text_can_be_told_from_its_ground(page: ChatPage, theme: str) -> None:
    page.run("localStorage['rag.theme'] = arguments[0]", theme)
    page.open()
    with_everything(page)
    assert page.run(WEAK_CONTRASTS) == [[], True]


def test_the_theme_follows_the_system_until_one_is_chosen(page: ChatPage) -> None:
    def ground() -> str:
        return str(page.run("return getComputedStyle(document.body).backgroundColor"))

    def system_wants(scheme: str) -> None:
        feature = {"name": "prefers-color-scheme", "value": scheme}
        page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})

    try:
        system_wants("dark")
        dark = ground()
        system_wants("light")
        assert ground() != dark
        page.press("#dark")
        assert (ground(), page.one("#dark").get_attribute("aria-pressed")) == (dark, "true")
        page.open()
        assert (ground(), page.one("#dark").get_attribute("aria-pressed")) == (dark, "true")
    finally:
        page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_all_of_it_can_be_done_by_keyboard(page: ChatPage) -> None:
    page.run("document.activeElement.blur()")
    page.type(Keys.TAB)
    assert page.focused() == "Skip to the question"
    page.type(Keys.ENTER, Keys.TAB)
    assert page.focused() == "Ask"
    page.type(Keys.SHIFT + Keys.TAB + Keys.NULL)
    page.type("Who waits?", Keys.ENTER)
    page.says(".sources h3", "2 sources")
    page.run("document.querySelector('h1').tabIndex = -1; document.querySelector('h1').focus()")
    order = []
    while "Send comment" not in order and len(order) < 40:
        page.type(Keys.TAB)
        order.append(page.focused())
        if order[-1] == "Good answer":
            page.type(Keys.ENTER)
            page.says("[data-part=feedback-state]", "Noted")
    assert order == [
        "New chat",
        "Dark",
        "Who waits?",
        "Delete the conversation: Who waits?",
        "Delete all",
        "Source 1: Title 1",
        "Source 2: Title 2",
        "1 Title 1 cited, very close (0.72)",
        "2 Title 2 not cited, close (0.62)",
        "Good answer",
        "Bad answer",
        "Comment, optional",
        "Send comment",
    ]
    assert page.stub.feedback == [{"trace_id": "trace-1", "score": 1, "comment": ""}]


def test_a_source_is_read_and_left_by_keyboard(page: ChatPage) -> None:
    page.answered("Who waits?")
    page.run("document.querySelector('.source').focus()")
    page.type(Keys.ENTER)
    assert page.focused().endswith("Title 1")
    page.type(Keys.TAB)
    assert page.focused() == "Close the source"
    page.type(Keys.ENTER)
    assert page.focused().startswith("1 Title 1")
    page.type(Keys.ENTER)
    page.type(Keys.ESCAPE)
    assert page.focused().startswith("1 Title 1")


def test_the_focus_is_always_shown_and_never_covered(page: ChatPage) -> None:
    page.stub.answers = [streamed("\n\n".join(f"Paragraph {n} [1]." for n in range(60)))]
    page.answered("Long?")
    page.run("document.querySelector('.citation').focus()")
    for _ in range(25):
        page.type(Keys.TAB)
        covered, outlined = page.run(
            """const at = document.activeElement, box = at.getBoundingClientRect();
            const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
            return [!at.contains(top), getComputedStyle(at).outlineStyle !== 'none'];"""
        )
        assert (covered, outlined) == (False, True), page.focused()


def test_screen_readers_hear_the_beginning_and_the_end_and_not_every_word(page: ChatPage) -> None:
    page.run(
        """window.heard = [];
        new MutationObserver(() => heard.push(document.getElementById('announcer').textContent.trim()))
          .observe(document.getElementById('announcer'), { childList: true });"""
    )
    gate = Gate()
    page.stub.answers = [streamed("one ", "two ", gate, "three ", "four.")]
    page.ask("Count?")
    page.says(".answer", "one two")
    assert page.one(".turn").get_attribute("aria-busy") == "true"
    gate.open()
    page.says(".sources h3", "2 sources")
    page.until(lambda: len(page.run("return heard")) == 3)
    assert page.run("return heard") == [
        "Searching your documents",
        "The answer begins",
        "The answer is complete: 4 words, 2 sources",
    ]
    live = page.run(
        "return [...document.querySelectorAll('[aria-live], [role=status], [role=alert], [role=log]')]"
        ".some((one) => one.contains(document.querySelector('.answer')))"
    )
    assert live is False


def test_nothing_is_wider_than_the_screen(page: ChatPage) -> None:
    long = "W" * 400
    sources = [source(1, title=long, link=f"https://example.org/{long}", passage=long, quote=long)]
    page.stub.answers = [
        streamed(f"{long} [1]\n\n```\n{long}\n```\n\n- https://example.org/{long}", sources=sources)
    ]
    page.run("document.getElementById('question').value = arguments[0]", long)
    page.answered("?")
    page.press("#options summary")
    for width in (320, 360, 390, 600, 768, 1024, 1100, 1280, 1920):
        page.resize(width, 800)
        assert too_wide(page) == []
        page.press(".citation")
        page.says("#source h2", "WWW")
        assert too_wide(page) == []
        page.type(Keys.ESCAPE)
        page.until(lambda: not page.one("#source").is_displayed())


def too_wide(page: ChatPage) -> list[str]:
    """What stands out of the window; the document's own width is named as "page"."""
    outside: list[str] = page.run(
        """return [...document.querySelectorAll('button, input, select, textarea, dialog[open]')]
        .filter((one) => one.checkVisibility() && !one.closest('.unseen'))
        .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
        .map((one) => one.outerHTML.slice(0, 80))
        .concat(document.documentElement.scrollWidth > innerWidth ? ['page'] : [])"""
    )
    return outside


def test_on_a_phone_the_conversations_unfold_and_the_source_covers_the_text(page: ChatPage) -> None:
    page.resize(360, 740)
    page.answered("Who waits?")
    assert not page.one("#conversations").is_displayed()
    page.press("#show-conversations")
    assert page.one("#show-conversations").get_attribute("aria-expanded") == "true"
    page.one(".conversation").send_keys(Keys.ESCAPE)
    assert not page.one("#conversations").is_displayed()
    assert page.focused() == "Conversations"
    page.press(".citation")
    assert page.run("return document.getElementById('source').matches(':modal')")
    page.type(Keys.ESCAPE)
    page.until(lambda: not page.one("#source").is_displayed())
    assert page.focused() == "Source 1: Title 1"


def test_opening_a_source_does_not_move_the_text(page: ChatPage) -> None:
    page.answered("Who waits?")
    before = page.one(".answer").rect
    page.press(".citation")
    assert page.one(".answer").rect == before


def test_hostile_texts_are_shown_and_do_nothing(page: ChatPage) -> None:
    sources = [
        source(1, title=HOSTILE, link="javascript:window.hit=1", quote=HOSTILE, passage=HOSTILE),
        source(2, title=" ", link="data:text/html,<script>1</script>", source_file=HOSTILE),
    ]
    text = (
        f"{HOSTILE} [1] [click](javascript:window.hit=1) [data](data:text/html,x) [99]\n\n"
        "[ok](https://example.org/a_(b)) https://example.org/c. <a href=javascript:1>x</a>\n\n"
        f"```\n{HOSTILE}\n```"
    )
    page.stub.answers = [
        streamed(text, sources=sources, notes=[HOSTILE], model=HOSTILE, trace_id=HOSTILE)
    ]
    page.stub.filters = {"authors": [HOSTILE], "categories": None, "platforms": [3, "x"]}
    page.open()
    page.answered(HOSTILE)
    for selector in (".citation", "[data-part=summary]", "#options summary"):
        page.press(selector)
    assert HOSTILE in page.text(".answer")
    links = [link.get_attribute("href") for link in page.all("main a, #source a")]
    assert links == ["https://example.org/a_(b)", "https://example.org/c"]
    assert {link.get_attribute("rel") for link in page.all("main a")} == {
        "noopener noreferrer nofollow"
    }
    assert page.all("main img, main script, dialog img, dialog script") == []
    assert page.text("#source [data-part=link]") == "javascript:window.hit=1"
    assert [one.text for one in page.all(".citation")] == ["1"]
    page.open()
    page.press(".conversation")
    page.says(".question", HOSTILE)
    assert page.run("return window.hit ?? null") is None


def test_the_policy_stops_markup_and_scripts_even_if_the_page_made_some(page: ChatPage) -> None:
    made = page.run(
        "try { document.createElement('p').innerHTML = '<b>x</b>'; return 'made' }"
        "catch (error) { return error.name }"
    )
    assert made == "TypeError"
    page.run(
        """const script = document.createElement('script');
        try { script.textContent = 'window.hit = 1' } catch { return }
        document.head.append(script)"""
    )
    assert page.run("return window.hit ?? null") is None
    assert all("Trusted" in line or "Security" in line for line in page.complaints())


def test_stored_conversations_that_make_no_sense_are_passed_over(page: ChatPage) -> None:
    page.answered("Good?")
    page.run(
        """localStorage['rag.conversation.a'] = '{';
        localStorage['rag.conversation.b'] = 'null';
        localStorage['rag.conversation.c'] = '{"turns": [{}]}';
        localStorage['rag.conversation.d'] = '{"turns": "x"}';
        localStorage['rag.options'] = '[';"""
    )
    page.open()
    assert [one.text for one in page.all(".conversation")] == ["Good?"]


def test_right_to_left_texts_read_from_the_right(page: ChatPage) -> None:
    page.stub.answers = [
        streamed("שלום עולם [1].\n\n- אחת\n\nEnglish again.", sources=[source(1, title="كتاب")])
    ]
    page.answered("מה זה?")
    directions = page.run(
        "return ['.question', '.answer p', '.answer ul', '.answer p:last-child', '.source .title']"
        ".map((one) => getComputedStyle(document.querySelector(one)).direction)"
    )
    assert directions == ["rtl", "rtl", "rtl", "ltr", "rtl"]


def test_a_huge_answer_in_small_pieces_keeps_the_page_usable(page: ChatPage) -> None:
    word = "streaming words **bold** `code` [1] "
    gate = Gate()
    pieces = [word * 4] * 500
    page.stub.answers = [streamed(*pieces, "\n\n" + "- item\n" * 1000, gate, "the end")]
    page.ask("Everything?")
    page.says(".progress", "Found 2 passages")
    page.one("#question").send_keys("still typing")
    assert page.one("#question").get_property("value") == "still typing"
    gate.open()
    page.until(lambda: not page.all("[aria-busy]"))
    assert page.run("return document.querySelector('.answer').textContent.endsWith('the end')")


@IN_THE_BROWSER
@given(
    pieces=st.lists(
        st.sampled_from(MARKS) | st.text("ab*`#->1.[]\n ", max_size=6),
        max_size=40,
    )
)
@example(
    pieces=["- a\n\n", "-", " b"]
)  # what begins as a paragraph turns out to be the list's next item
def test_in_pieces_and_as_a_whole_the_answer_looks_the_same(
    page: ChatPage, pieces: list[str]
) -> None:
    script = """
    const shown = (pieces) => {
      const element = document.createElement('div');
      const text = new it.StreamedText(element, (n) => (n === 1 ? document.createElement('button') : null));
      for (const piece of pieces) { text.add(piece); text.flush(); }
      return element;
    };
    const [streamed, whole] = [shown(given[0]), shown([given[0].join('')])];
    const tags = [...whole.querySelectorAll('*')].map((one) => one.tagName.toLowerCase());
    return [streamed.isEqualNode(whole), [...new Set(tags)], whole.textContent];
    """
    same, tags, text = page.module("streamed.js", script, pieces)
    assert same
    known = "p ul ol li h3 h4 h5 h6 pre code blockquote strong em a br button"
    assert set(tags) <= set(known.split())
    letters = [letter for letter in "".join(pieces) if letter in "abx"]
    # the name of a code block's language is not shown
    assert len([letter for letter in text if letter in "abx"]) <= len(letters)


@IN_THE_BROWSER
@given(data=st.data())
def test_a_quote_is_found_whatever_its_white_space(page: ChatPage, data: st.DataObject) -> None:
    words = data.draw(
        st.lists(st.sampled_from(["a", "b.", "été", "𝒳", "(x)", "a"]), min_size=1, max_size=30)
    )
    spaces = data.draw(
        st.lists(
            st.sampled_from([" ", "\n", "\n\n", "\t", "\u00a0"]),
            min_size=len(words),
            max_size=len(words),
        )
    )
    start = data.draw(st.integers(0, len(words) - 1))
    end = data.draw(st.integers(start + 1, len(words)))
    passage = "".join(word + space for word, space in zip(words, spaces, strict=True))
    quote = " ".join(words[start:end])
    script = """
    const box = document.createElement('div');
    box.append(...it.highlighted(given[0], given[1]));
    return [box.textContent, [...box.querySelectorAll('mark')].map((mark) => mark.textContent)];
    """
    text, marked = page.module("highlight.js", script, passage, quote)
    assert text == passage
    assert ["".join(one.split()) for one in marked] == ["".join(quote.split())]


def test_events_are_read_however_they_are_cut(page: ChatPage) -> None:
    sent = (
        '\ufeff: hello\r\n\r\nevent: token\r\ndata: {"text": "é𝒳"}\r\n\r\ndata:a\ndata: b\nid: 4\n\r'
        "data\r\revent: x\n\ndata: cut off"
    )
    script = """
    const bytes = new TextEncoder().encode(given[0]);
    const read = [];
    for (let size = 1; size <= bytes.length; size += 1) {
      const body = new ReadableStream({ start(controller) {
        for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size));
        controller.close();
      } });
      const events = [];
      for await (const event of it.events(body)) events.push([event.type, event.data]);
      read.push(JSON.stringify(events));
    }
    return [...new Set(read)].map(JSON.parse);
    """
    expected = [["token", '{"text": "é𝒳"}'], ["message", "a\nb"], ["message", ""]]
    assert page.module("sse.js", script, sent) == [expected]


def test_a_server_that_goes_silent_is_given_up(page: ChatPage) -> None:
    script = """
    let cancelled;
    const over = new Promise((resolve) => (cancelled = resolve));
    const body = new ReadableStream({
      start(controller) { controller.enqueue(new TextEncoder().encode(': alive\\n\\n')) },
      cancel() { cancelled('cancelled') },
    });
    try { for await (const event of it.events(body, { idleMs: 20 })) return event }
    catch (error) { return [error instanceof it.Silence, await over] }
    """
    assert page.module("sse.js", script) == [True, "cancelled"]
