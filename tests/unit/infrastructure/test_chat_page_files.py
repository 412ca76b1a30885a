"""The chat page's files: how they are served, and what a browser is not needed for to see."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from rag_llm_system.infrastructure import chat_page

FOLDER = Path(chat_page.__file__).parent
PAGE = (FOLDER / "index.html").read_text("utf-8")
FILES = {path.name: path.read_text("utf-8") for path in sorted((FOLDER / "static").iterdir())}
SCRIPTS = {name: text for name, text in FILES.items() if name.endswith(".js")}
COLOURS = dict(re.findall(r"--([\w-]+): light-dark\((#\w{6}, #\w{6})\)", FILES["style.css"]))


@pytest.fixture
def client() -> Iterator[TestClient]:
    app = FastAPI()
    chat_page.mount(app)
    with TestClient(app) as client:
        yield client


class Tags(HTMLParser):
    """Every tag with its attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


def tags() -> list[tuple[str, dict[str, str | None]]]:
    parser = Tags()
    parser.feed(PAGE)
    return parser.seen


def test_the_page_is_at_the_root_with_its_policy(client: TestClient) -> None:
    answer = client.get("/")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.text == PAGE
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'; script-src 'self'" in policy
    assert "require-trusted-types-for 'script'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("name", sorted(FILES))
def test_every_file_is_served_with_its_type(client: TestClient, name: str) -> None:
    kinds = {"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8"}
    answer = client.get(f"/static/{name}")
    assert answer.text == FILES[name]
    assert answer.headers["content-type"] == kinds.get(name.rpartition(".")[2], "image/svg+xml")
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_file_that_did_not_change_is_not_sent_again(client: TestClient) -> None:
    first = client.get("/static/app.js")
    again = client.get("/static/app.js", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = client.get("/static/app.js", headers={"If-None-Match": '"0"'})
    assert other.status_code == 200
    assert first.headers["cache-control"] == "no-cache"


def test_head_says_what_get_would(client: TestClient) -> None:
    for path in ("/", "/static/style.css"):
        head, get = client.head(path), client.get(path)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == get.headers["content-length"]


@pytest.mark.parametrize(
    "path",
    [
        "/static/",
        "/static/none.js",
        "/static/../page.py",
        "/static/..%2fpage.py",
        "/static/%2e%2e/index.html",
        "/static//etc/passwd",
        "/static/app.js/",
        "/static/app.js%00",
    ],
)
def test_nothing_else_is_served(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_the_page_is_no_part_of_the_api_description(client: TestClient) -> None:
    assert client.get("/openapi.json").json()["paths"] == {}


def test_nothing_comes_from_another_server() -> None:
    for name, text in {"index.html": PAGE, **FILES}.items():
        addresses = re.findall(r"https?://[\w.-]+", text)
        assert set(addresses) <= {"http://www.w3.org"}, name


def test_no_script_or_style_stands_in_the_page() -> None:
    for tag, attributes in tags():
        assert tag != "style"
        assert tag != "script" or attributes.get("src")
        assert not [name for name in attributes if name == "style" or name.startswith("on")]


def test_no_script_makes_markup_or_code_of_text() -> None:
    unsafe = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc"
    )
    assert [name for name, text in SCRIPTS.items() if unsafe.search(text)] == []


def test_scripts_import_what_is_there() -> None:
    for name, text in SCRIPTS.items():
        for names, source in re.findall(
            r"^import (.+?) from \"\./([\w.]+)\";$", text, re.MULTILINE
        ):
            if names.startswith("* as"):
                continue
            exported = re.findall(
                r"^export (?:async )?(?:function\*?|class|const) (\w+)", FILES[source], re.MULTILINE
            )
            wanted = re.findall(r"\w+", names)
            assert set(wanted) <= set(exported), name
            # an import that nothing uses is left over
            body = text.replace(f"import {names} from", "")
            assert [one for one in wanted if not re.search(rf"\b{one}\b", body)] == [], name


def test_scripts_find_the_parts_that_the_page_has() -> None:
    parts = {attributes.get("data-part") for _, attributes in tags()}
    ids = {attributes.get("id") for _, attributes in tags()}
    for name, text in SCRIPTS.items():
        assert set(re.findall(r"\bpart\([\w.]+, \"([\w-]+)\"\)", text)) <= parts, name
        assert set(re.findall(r"\bbyId\(\"([\w-]+)\"\)", text)) <= ids, name


def test_every_field_has_a_label_and_every_button_a_type() -> None:
    labelled = {
        attributes["for"] for tag, attributes in tags() if tag == "label" if "for" in attributes
    }
    assert labelled == {"question"}
    # all other fields stand inside of their label
    fields = re.findall(r"<(?:input|select)\b", PAGE)
    inside = re.findall(r"<label>[^<]*<(?:input|select)\b", PAGE)
    assert len(fields) == len(inside)
    assert [a for tag, a in tags() if tag == "button" and "type" not in a] == []


def test_all_modules_are_asked_for_at_once() -> None:
    preloaded = {a["href"] for tag, a in tags() if tag == "link" and a["rel"] == "modulepreload"}
    assert preloaded == {f"static/{name}" for name in SCRIPTS} - {
        "static/app.js",
        "static/theme.js",
    }


def test_files_stay_small() -> None:
    assert {name: text.count("\n") for name, text in FILES.items() if text.count("\n") > 300} == {}
    total_bytes = sum(len(text.encode()) for text in (PAGE, *FILES.values()))
    assert total_bytes < 100_000


@pytest.mark.parametrize(
    ("text", "ground", "least"),
    [
        ("ink", "paper", 7.0),
        ("ink", "raised", 7.0),
        ("ink", "marked", 7.0),
        ("quiet", "paper", 4.5),
        ("quiet", "raised", 4.5),
        ("accent", "paper", 4.5),
        ("accent", "raised", 4.5),
        ("on-accent", "accent", 4.5),
        ("alarm", "raised", 4.5),
        ("edge", "paper", 3.0),
    ],
)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_have_contrast(text: str, ground: str, least: float, theme: str) -> None:
    colours = {name: pair.split(", ")[theme == "dark"] for name, pair in COLOURS.items()}
    lighter, darker = sorted((luminance(colours[text]), luminance(colours[ground])), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= least


def luminance(colour: str) -> float:
    """As WCAG 2.2 defines it."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
