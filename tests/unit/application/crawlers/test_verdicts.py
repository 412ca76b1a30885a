"""Which pages are articles: all that we wrote down as such, and none of the walls, errors and shells."""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from trafilatura import extract

from rag_llm_system.application.crawlers.verdicts import fault_of, phrases, shells, walls
from rag_llm_system.domain.crawling import Extracted, Fault

PAGES = Path(__file__).parents[3] / "data" / "verdicts"
EXPECTED: dict[str, dict[str, dict[str, Any]]] = json.loads(
    (PAGES / "expected.json").read_text(encoding="utf-8")
)
GOOD, BAD = sorted(EXPECTED["good"]), sorted(EXPECTED["bad"])
TWO_PARAGRAPHS = (
    "<p>The depot stores four hundred pallets, and until last year nobody knew where any of them stood after ten in "
    "the evening. A student put a cheap tag on each of them and a receiver on every lamp post.</p>"
    "<p>The first map was wrong by eleven metres on average, which is more than the width of an aisle.</p>"
)


# Notices as terse as they come: kind, title, body
TERSE: list[tuple[str, str, str]] = [
    (
        "challenge",
        "Just a moment...",
        "<h1>Checking your browser before accessing pages.example</h1>",
    ),
    (
        "challenge",
        "Please wait",
        "<p>We are checking your browser. You will be redirected in a few seconds.</p>",
    ),
    (
        "challenge",
        "Request Rejected",
        "The requested URL was rejected. Please consult with your administrator.",
    ),
    (
        "challenge",
        "Robot or human?",
        "<p>Activate and hold the button to confirm that you’re human.</p>",
    ),
    (
        "challenge",
        "pages.example",
        "<h2>Performing security verification</h2><p>Ray ID: <code>9fa0b1c2d3e4f506</code></p>",
    ),
    ("challenge", "Captcha", "<p>Please enter the captcha to continue.</p><img src='/c.png'>"),
    ("challenge", "Bitte warten", "<p>Bitte bestätigen Sie, dass Sie kein Roboter sind.</p>"),
    ("challenge", "安全验证", "<p>请完成验证后继续访问</p>"),
    ("challenge", "Проверка", "<p>Подтвердите, что запросы отправляли вы, а не робот.</p>"),
    ("login", "Wiki", "<p>Please log in to continue.</p>"),
    ("login", "Members", "<p>Please sign in to view this content.</p>"),
    (
        "login",
        "Forge",
        f"{TWO_PARAGRAPHS}<h2>Log in to continue reading</h2><p>Or create a free account.</p>",
    ),
    ("login", "Welcome back", "<form><input name=u><input type=password></form>"),
    (
        "login",
        "Connexion",
        "<form><input name=u><input type=password><button>Se connecter</button></form>",
    ),
    ("login", "登录", "<p>请先登录后查看内容</p>"),
    ("paywall", "Pallets", f"{TWO_PARAGRAPHS}<h3>This content is for members only</h3>"),
    (
        "paywall",
        "Pallets",
        f"{TWO_PARAGRAPHS}<p>You've reached your limit of free articles.</p><p>See offers</p>",
    ),
    ("paywall", "Pallets", f"{TWO_PARAGRAPHS}<p>To continue reading, subscribe now.</p>"),
    ("paywall", "Pallets", f"{TWO_PARAGRAPHS * 2}<h2>Become a member to continue reading</h2>"),
    ("paywall", "Pallets", f"{TWO_PARAGRAPHS * 3}<h2>Keep reading with a 7-day free trial</h2>"),
    ("paywall", "Paletten", f"{TWO_PARAGRAPHS}<h3>Lesen Sie weiter mit unserem Digital-Abo</h3>"),
    ("paywall", "Palettes", f"{TWO_PARAGRAPHS}<p>Cet article est réservé à nos abonnés.</p>"),
    ("error page", "404", "404 page not found"),
    ("error page", "Error 404 (Not Found)", "<p><b>404.</b> That's an error.</p>"),
    ("error page", "Pages", "<h1>Whoops, looks like something went wrong.</h1>"),
    (
        "error page",
        "Pages",
        "<h1>This site is temporarily offline</h1><p>Please check back later.</p>",
    ),
    ("error page", "Pages", "<p>You are using an unsupported browser.</p>"),
    ("error page", "IIS Windows Server", "<img src='iisstart.png'>"),
    (
        "error page",
        "Pages",
        "<a href='https://www.parkingcrew.net/x'>Tide tables</a> Brass clocks, harbour hotels, ferries",
    ),
    ("error page", "Wartung", "<p>Die Seite ist vorübergehend nicht erreichbar.</p>"),
    ("error page", "页面不存在", "<h1>404</h1><p>您访问的页面不存在。</p>"),
    ("script", "App", "<p>Loading...</p><script src='/js/app.js'></script>"),
    ("script", "App", "<my-app></my-app><script type='module' src='/app.js'></script>"),
    ("empty", "Pages", "<div class='posts'></div>"),
    (
        "empty",
        "Pages",
        "<ul><li>Home</li><li>Guides</li><li>Log in</li><li>Contact us</li></ul><p>© 2025 Pages and friends</p>",
    ),
]
# The same words in posts of two paragraphs and less: title, body
SHORT: list[tuple[str, str]] = [
    ("Just a moment", f"<h1>Just a moment</h1>{TWO_PARAGRAPHS}"),
    ("Captcha", f"<h1>Captcha</h1>{TWO_PARAGRAPHS}<ul><li>Verify you are human, it said.</li></ul>"),
    ("Login", f"<h1>Login</h1>{TWO_PARAGRAPHS}"),
    ("Sign in", "<h1>Sign in</h1><p>The command asks for a token and stores it in the keyring. One per machine.</p>"),
    ("404 Not Found", f"<h1>404 Not Found</h1>{TWO_PARAGRAPHS}<p>The link checker found ninety pages that lied, "
     "and we mended every one of them in a single week.</p>"),
    ("Maintenance", f"<h1>Maintenance</h1>{TWO_PARAGRAPHS}"),
    ("It works!", f"<h1>It works!</h1>{TWO_PARAGRAPHS}"),
    ("Pallets", f"{TWO_PARAGRAPHS}<p>Subscribe to our newsletter.</p><input type=email>"),
    ("Pallets", f"{TWO_PARAGRAPHS}<p>You must be logged in to post a comment.</p><p>Log in to vote.</p>"),
    ("Pallets", f"{TWO_PARAGRAPHS}<noscript>Please enable JavaScript to comment.</noscript><script src=c></script>"),
    ("Pallets", f"<p>We use cookies.</p><button>Accept all</button>{TWO_PARAGRAPHS}"),
    ("Pallets", f"<dialog><h2>Sign in</h2><form><input type=password></form></dialog>{TWO_PARAGRAPHS}"),
    ("Pallets", f"{TWO_PARAGRAPHS}<blockquote>Subscribe to continue reading</blockquote><p>That is all it said, and "
     "so I did not read on; life is short and there are other pages about pallets, by people who want to be read.</p>"),
    ("Pallets", f"{TWO_PARAGRAPHS}<p>Verify you are human</p><form><textarea></textarea><i id=h-captcha></i></form>"),
    ("Privacy", "<h1>Privacy</h1><p>We use cookies for the session and nothing else. Logs go after ten days.</p>"),
    ("3.0.1", "<h1>3.0.1</h1><p>Bug fixes.</p>"),
]  # fmt: skip


@cache
def page(group: str, name: str) -> str:
    return (PAGES / group / name).read_text(encoding="utf-8")


def judged(html: str, *, article: str | None = None, **answer: Any) -> Fault | None:
    text = extract(html, output_format="markdown") if article is None and html.strip() else article
    told = {"url": "https://pages.example/post", "status": 200, "headers": {}} | answer
    return fault_of(html, article=Extracted(text=text or ""), **told)


def answer_of(group: str, name: str) -> dict[str, Any]:
    return {key: EXPECTED[group][name][key] for key in ("url", "status", "headers")}


def kind_of(html: str, **answer: Any) -> str | None:
    fault = judged(html, **answer)
    return fault.kind if fault else None


def written(title: str, body: str, head: str = "") -> str:
    return (
        f"<!doctype html><html><head><title>{title}</title>{head}</head><body><nav><a href='/'>Home</a>"
        f"</nav><main>{body}</main><footer>Pages</footer></body></html>"
    )


@pytest.mark.parametrize("name", GOOD)
def test_an_article_is_good(name: str) -> None:
    assert judged(page("good", name), **answer_of("good", name)) is None


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_article_is_rejected_with_its_kind(name: str) -> None:
    fault = judged(page("bad", name), **answer_of("bad", name))
    assert fault is not None
    assert fault.kind == EXPECTED["bad"][name]["kind"]
    assert fault.reason == " ".join(fault.reason.split())


@pytest.mark.parametrize(("kind", "title", "body"), TERSE)
def test_a_terse_notice_is_rejected_with_its_kind(kind: str, title: str, body: str) -> None:
    assert kind_of(written(title, body)) == kind


@pytest.mark.parametrize(("title", "body"), SHORT)
def test_a_short_post_is_good(title: str, body: str) -> None:
    assert kind_of(written(title, body)) is None


def test_the_collections_are_complete() -> None:
    assert sorted(path.name for path in (PAGES / "good").iterdir()) == GOOD
    assert sorted(path.name for path in (PAGES / "bad").iterdir()) == BAD
    assert len(GOOD) >= 60
    assert len(BAD) >= 36


@pytest.mark.parametrize("name", GOOD)
def test_a_footer_about_signing_in_and_captchas_does_not_make_an_article_bad(name: str) -> None:
    footer = (
        '<footer><a href="/login">Sign in</a> <a href="/subscribe">Subscribe</a> <p>Protected by reCAPTCHA; '
        'solve the captcha to comment.</p><div class="g-recaptcha"></div></footer>'
    )
    whole, closing, rest = page("good", name).rpartition("</body>")
    html = whole + footer + closing + rest if closing else page("good", name) + footer
    assert judged(html, **answer_of("good", name)) is None


@pytest.mark.parametrize("name", BAD)
def test_upper_and_lower_case_do_not_matter(name: str) -> None:
    shouted = page("bad", name).upper()
    headers = {
        key.title(): value.upper() for key, value in EXPECTED["bad"][name]["headers"].items()
    }
    fault = judged(shouted, **answer_of("bad", name) | {"headers": headers})
    assert fault is not None
    assert fault.kind == EXPECTED["bad"][name]["kind"]


@pytest.mark.parametrize("name", BAD)
def test_white_space_does_not_matter(name: str) -> None:
    spread = page("bad", name).replace(" ", " \n\t ")
    assert kind_of(spread, **answer_of("bad", name)) == EXPECTED["bad"][name]["kind"]


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        (404, "gone", "HTTP 404 Not Found"),
        (410, "gone", "HTTP 410 Gone"),
        (401, "refused", "HTTP 401 Unauthorized"),
        (403, "refused", "HTTP 403 Forbidden"),
        (451, "refused", "HTTP 451 Unavailable For Legal Reasons"),
        (400, "refused", "HTTP 400 Bad Request"),
        (429, "busy", "HTTP 429 Too Many Requests"),
        (503, "busy", "HTTP 503 Service Unavailable"),
        (500, "unreachable", "HTTP 500 Internal Server Error"),
        (525, "unreachable", "HTTP 525"),
        (304, "failed", "HTTP 304 Not Modified"),
    ],
)
def test_a_status_that_is_no_success_tells_the_kind(status: int, kind: str, reason: str) -> None:
    complete = written("Pallets", TWO_PARAGRAPHS)
    assert judged(complete, status=status) == Fault(kind=kind, reason=reason)  # type: ignore[arg-type]


def test_an_unknown_status_is_judged_by_the_page() -> None:
    assert kind_of(written("Pallets", TWO_PARAGRAPHS), status=0) is None
    assert kind_of(written("404", "<h1>Page not found</h1>"), status=0) == "error page"


def test_reasons_say_the_way_out() -> None:
    challenge = judged(page("bad", "cloudflare_403.html"), status=403)
    paywall = judged(page("bad", "medium_stub.html"))
    login = judged("", status=999)
    assert challenge is not None
    assert challenge.reason.startswith("the site asks for a human (Cloudflare); ")
    assert paywall is not None
    assert paywall.reason.startswith("only a preview for members; ")
    assert login is not None
    assert login.reason.startswith("HTTP 999 Request Denied; ")


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("cf-mitigated", "challenge"),
        ("x-amzn-waf-action", "captcha"),
        ("x-vercel-mitigated", "challenge"),
        ("x-dd-b", "2"),
    ],
)
def test_a_header_of_a_guard_is_enough(header: str, value: str) -> None:
    assert kind_of(written("Pallets", TWO_PARAGRAPHS * 20), headers={header: value}) == "challenge"


def test_code_that_shows_a_challenge_is_no_challenge() -> None:
    code = "<pre>&lt;script&gt;window._cf_chl_opt = {}&lt;/script&gt;\nVerify you are human</pre>"
    assert kind_of(written("Spotting interstitials", TWO_PARAGRAPHS + code)) is None


def test_a_captcha_that_guards_a_form_does_not_guard_the_page() -> None:
    captcha = "<div class='g-recaptcha'></div>"
    answer = f"{captcha}<textarea id='g-recaptcha-response'></textarea>"
    note = "<p>Write to us about the depot; we answer on Mondays.</p>"
    assert kind_of(written("Depot", f"{note}<form><textarea></textarea>{captcha}</form>")) is None
    assert kind_of(written("Depot", f"{note}<form><input type=email>{answer}</form>")) is None
    assert (
        kind_of(written("Depot", f"<p>One moment, then the page opens.</p>{answer}")) == "challenge"
    )


def test_a_captcha_script_on_every_page_does_not_hide_what_the_page_is() -> None:
    script = '<script src="https://www.google.com/recaptcha/api.js?render=key"></script>'
    shell = written("App", '<div id="app"></div>', script + '<script src="/app.js"></script>')
    assert kind_of(shell) == "script"
    assert kind_of(written("Page not found", "<h1>404</h1>", script)) == "error page"
    assert kind_of(written("Gone", '<div class="g-recaptcha"></div>'), status=404) == "gone"


@pytest.mark.parametrize("path", ["authwall", "checkpoint/lg/login", "uas/login", "login"])
def test_linkedin_sends_strangers_to_its_walls(path: str) -> None:
    long = written("Join", TWO_PARAGRAPHS * 9)
    assert kind_of(long, url=f"https://de.linkedin.com/{path}?trk=x") == "login"
    assert kind_of(long, url=f"https://notlinkedin.com/{path}") is None


def test_a_script_that_leads_to_the_authwall_is_a_login_at_any_status() -> None:
    script = "<html><head><script>location.href = '/authwall?trk=bf'</script></head></html>"
    assert kind_of(script, url="https://www.linkedin.com/in/somebody") == "login"
    assert kind_of(script, url="https://www.linkedin.com/in/somebody", status=403) == "login"


def test_a_guide_at_an_address_of_login_pages_is_good() -> None:
    guide = written("Login", f"<h1>Login</h1>{TWO_PARAGRAPHS}")
    assert kind_of(guide, url="https://docs.example/cli/login") is None


def test_a_wall_where_the_text_ends_is_no_good_but_one_that_is_quoted_before_more_text_is() -> None:
    wall = "<h2>Subscribe to continue reading</h2>"
    long = TWO_PARAGRAPHS * 3
    assert kind_of(written("Pallets", long + wall)) == "paywall"
    assert kind_of(written("Pallets", wall + long)) is None
    assert kind_of(written("Pallets", wall), article="") == "paywall"


def test_a_text_of_the_announced_length_is_complete_although_it_costs_something() -> None:
    meta = '<script type="application/ld+json">{"isAccessibleForFree": false, "wordCount": %d}</script>'
    assert kind_of(written("Pallets", TWO_PARAGRAPHS, meta % 56)) is None
    assert kind_of(written("Pallets", TWO_PARAGRAPHS, meta % 400)) == "paywall"
    assert kind_of(written("Pallets", TWO_PARAGRAPHS * 4, meta % 900)) == "paywall"
    assert kind_of(written("Pallets", TWO_PARAGRAPHS * 4, meta % 230)) is None


def test_a_preview_of_any_length_is_a_preview() -> None:
    wall = '<div class="paywall"><h2>This post is for paid subscribers</h2></div>'
    assert kind_of(written("Pallets", TWO_PARAGRAPHS * 30 + wall)) == "paywall"
    assert kind_of(written("Pallets", TWO_PARAGRAPHS * 30)) is None


def test_a_list_of_files_is_none_however_long() -> None:
    files = "".join(f'<li><a href="{n}.txt">{n}.txt</a> part {n}</li>' for n in range(900))
    html = written(
        "Index of /pub", f'<h1>Index of /pub</h1><ul><li><a href="../">../</a></li>{files}</ul>'
    )
    fault = fault_of(
        html,
        url="https://pages.example/pub/",
        status=200,
        headers={},
        article=Extracted(text="0.txt part 0\n" * 900, title="Index of /pub"),
    )
    assert fault is not None
    assert fault.kind == "error page"
    about = written("Index of /pub", TWO_PARAGRAPHS * 12)
    assert fault_of(
        about, url="https://pages.example/pub", status=200, headers={},
        article=Extracted(text="A list of files is no article. " * 90, title="Index of /pub"),
    ) is None  # fmt: skip


def test_analytics_do_not_make_an_empty_page_one_for_the_browser() -> None:
    counting = '<script>window.dataLayer=[];function gtag(){}</script><script type="application/json">{}</script>'
    assert kind_of(written("Sketch", "", counting)) == "empty"
    assert kind_of(written("Sketch", "", "<script>render()</script>")) == "script"


def test_a_hint_for_old_browsers_or_a_hidden_error_does_not_spoil_a_release_note() -> None:
    note = "<h1>v1.2.3</h1><p>Fixes a crash of the importer when a file has no header line. Nothing else changed.</p>"
    hidden = '<div class="error" hidden><p>Something went wrong. Please try again later.</p></div>'
    outdated = "<!--[if lt IE 9]><p>You are using an outdated browser.</p><![endif]-->"
    noscript = "<noscript>Please enable JavaScript to see the comments.</noscript>"
    html = written("v1.2.3", note + hidden + outdated + noscript, '<script src="/c.js"></script>')
    assert (
        judged(html, article="Fixes a crash of the importer when a file has no header line.\n")
        is None
    )
    assert kind_of(written("v1.2.3", note)) is None


HOSTILE = (
    "<", "<script", "<script>", "<!--", "<nav", "<nav>", "<h1>", "<h1", "<svg/>", "<title>", "<input ", "class='a ",
    " id=root", "&#", "&amp", "a. ", "\n \n", "sign in to ", "this post is for ", "<form ", "ray id: <",
)  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE)
def test_five_megabytes_of_anything_are_judged(piece: str) -> None:
    assert judged(piece * (5_000_000 // len(piece)), article="") is not None


@pytest.mark.parametrize(
    ("piece", "kind"),
    [("a. ", None), ("](", "empty"), ("...", "empty"), ("\n", "empty"), ("#x", None)],
)
def test_an_article_of_five_megabytes_is_judged(piece: str, kind: str | None) -> None:
    text = piece * (5_000_000 // len(piece))
    assert kind_of(written("Pallets", TWO_PARAGRAPHS), article=text) == kind


def patterns_in(value: object) -> Iterator[re.Pattern[str]]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, tuple):
        for part in value:
            yield from patterns_in(part)


@pytest.mark.parametrize("module", [phrases, shells, walls])
def test_no_pattern_repeats_without_a_bound(module: ModuleType) -> None:
    """Such a repeat could make the time of a search grow faster than the page."""
    patterns = [found for value in vars(module).values() for found in patterns_in(value)]
    assert len(patterns) >= 5
    for pattern in patterns:
        without_sets = re.sub(r"\\.|\[(?:\\.|[^\]\\])*\]", "", pattern.pattern)
        assert not re.search(r"[*+]|\{\d+,\}", without_sets), pattern.pattern


def test_a_number_without_end_is_no_character() -> None:
    assert kind_of(written("Pallets", f"{TWO_PARAGRAPHS}<p>&#{'9' * 6000};</p>")) is None
