"""The site of the demo answers as a web server would, and gives nothing but its folder."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tools.example_site import serve_site

PAGE = "<p>Straße</p>"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    above = tmp_path_factory.mktemp("above")
    (above / "secret.txt").write_text("not for you", encoding="utf-8")
    folder = above / "site"
    (folder / "below").mkdir(parents=True)
    (folder / "index.html").write_text(PAGE, encoding="utf-8")
    (folder / "below" / "a b.svg").write_text("<svg/>", encoding="utf-8")
    (folder / "out.txt").symlink_to(above / "secret.txt")
    return folder


@pytest.fixture(scope="module")
def site(folder: Path) -> Iterator[httpx.Client]:
    with (
        serve_site(folder) as address,
        httpx.Client(base_url=f"http://{address}", trust_env=False, timeout=10) as client,
    ):
        yield client


@pytest.mark.parametrize("path", ["/", "/index.html", "/index.html?page=2"])
def test_a_page_comes_with_its_type_and_an_etag(site: httpx.Client, path: str) -> None:
    page = site.get(path)
    assert (page.status_code, page.content.decode()) == (200, PAGE)
    assert page.headers["Content-Type"] == "text/html"
    assert page.headers["ETag"]


def test_who_has_the_page_is_not_sent_it_again(site: httpx.Client) -> None:
    etag = site.get("/").headers["ETag"]
    known = site.get("/", headers={"If-None-Match": etag})
    assert (known.status_code, known.content, known.headers["ETag"]) == (304, b"", etag)


def test_an_edited_page_is_sent_again(site: httpx.Client, folder: Path) -> None:
    (folder / "edited.html").write_text("<p>Old</p>", encoding="utf-8")
    etag = site.get("/edited.html").headers["ETag"]
    (folder / "edited.html").write_text("<p>New</p>", encoding="utf-8")
    page = site.get("/edited.html", headers={"If-None-Match": etag})
    assert (page.status_code, page.text) == (200, "<p>New</p>")


def test_other_files_have_their_own_type(site: httpx.Client) -> None:
    assert site.get("/below/a%20b.svg").headers["Content-Type"] == "image/svg+xml"


@pytest.mark.parametrize(
    "path",
    [
        "/missing.html",
        "/below",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/below/%2e%2e/%2e%2e/secret.txt",
        "/%2fetc/passwd",
        "/out.txt",
    ],
)
def test_what_is_not_in_the_folder_is_not_found(site: httpx.Client, path: str) -> None:
    answer = site.get(path)
    assert (answer.status_code, answer.text) == (404, "not found")


def test_the_port_is_free_again_afterwards(tmp_path: Path) -> None:
    with serve_site(tmp_path) as address:
        pass
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://{address}/", trust_env=False)
