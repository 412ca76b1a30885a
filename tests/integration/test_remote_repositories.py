"""Repositories over HTTP with the real git, against a forge on this machine."""

import http.server
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rag_llm_system.domain.errors import CrawlError
from rag_llm_system.infrastructure.fetchers.addresses import AddressRules
from rag_llm_system.infrastructure.fetchers.git import GitRepositoryReader
from rag_llm_system.infrastructure.fetchers.text_files import RepositoryLimits


class GitSite(http.server.BaseHTTPRequestHandler):
    """Serves the repositories below ``root`` as a forge does."""

    root = Path()

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if path.startswith("/moved/"):
            self.send_response(301)
            self.send_header("Location", f"/team/{path.removeprefix('/moved/')}?{query}")
            self.end_headers()
            return
        size = int(self.headers["Content-Length"] or 0)
        environment = {
            "PATH": os.defpath,
            "GIT_PROJECT_ROOT": str(self.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_NOSYSTEM": "1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers["Content-Type"] or "",
            "CONTENT_LENGTH": str(size),
            "HTTP_CONTENT_ENCODING": self.headers["Content-Encoding"] or "",
            "GIT_PROTOCOL": self.headers["Git-Protocol"] or "",
        }
        command = ["git", "-c", "uploadpack.allowFilter=true", "http-backend"]
        answer = subprocess.run(
            command, env=environment, input=self.rfile.read(size), capture_output=True, check=True
        )
        head, _, body = answer.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *message: Any) -> None:
        """Silent."""


def commit_all(folder: Path) -> None:
    identity = ("-c", "user.name=Nobody", "-c", "user.email=nobody@code.example")
    for command in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "first")):
        environment = {"PATH": os.defpath, "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
        subprocess.run(["git", *identity, *command], cwd=folder, check=True, env=environment)


@pytest.fixture(scope="module")
def forge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    GitSite.root = tmp_path_factory.mktemp("forge")
    folder = GitSite.root / "team" / "code"
    folder.mkdir(parents=True)
    (folder / "README.md").write_bytes(b"# Code\n")
    (folder / "a b.py").write_bytes(b"def f(x):\n\treturn x  \n")
    (folder / "big.txt").write_bytes(b"a" * 5000)
    commit_all(folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), GitSite) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


LOOPBACK = AddressRules(allow_hosts=["127.0.0.1"])


def remote_reader(**limits: int) -> GitRepositoryReader:
    given = RepositoryLimits(max_file_bytes=4000, **limits)
    return GitRepositoryReader(rules=LOOPBACK, protocols=("http",), limits=given)


def test_a_remote_repository_is_cloned_and_read(forge: int) -> None:
    location = f"http://127.0.0.1:{forge}/team/code"
    snapshot = remote_reader().read(location)
    assert {file.path: file.content for file in snapshot.files} == {
        "README.md": b"# Code\n",
        "a b.py": b"def f(x):\n\treturn x  \n",
    }
    assert snapshot.left_out == {"too large": 1}
    assert snapshot.commit == remote_reader().head(location)


def test_a_remote_repository_that_is_not_there_is_an_error(forge: int) -> None:
    for ask in (remote_reader().head, remote_reader().read):
        with pytest.raises(CrawlError, match="the repository does not exist"):
            ask(f"http://127.0.0.1:{forge}/team/absent")


def test_a_remote_that_does_not_answer_is_given_up() -> None:
    reader = GitRepositoryReader(rules=LOOPBACK, protocols=("http",), timeout_s=0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(CrawlError, match=r"git took longer than 0\.5 s"):
            reader.head(f"http://127.0.0.1:{port}/team/code")


def test_a_repository_without_commit_has_no_head(forge: int) -> None:
    folder = GitSite.root / "team" / "empty.git"
    subprocess.run(["git", "init", "-q", "--bare", str(folder)], check=True)
    with pytest.raises(CrawlError, match="the repository has no commit"):
        remote_reader().head(f"http://127.0.0.1:{forge}/team/empty.git")


def test_a_clone_leaves_nothing_behind(
    forge: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    remote_reader().read(f"http://127.0.0.1:{forge}/team/code")
    assert [*tmp_path.iterdir()] == []


def test_a_clone_that_grows_too_large_is_cut_off(
    forge: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = GitSite.root / "team" / "large"
    folder.mkdir()
    (folder / "noise.bin").write_bytes(os.urandom(3_000))
    commit_all(folder)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(CrawlError, match="the repository is larger than 2,000 bytes") as raised:
        remote_reader(max_unpacked_bytes=2_000).read(f"http://127.0.0.1:{forge}/team/large")
    assert raised.value.kind == "too large"
    assert [*tmp_path.iterdir()] == []


def test_a_moved_repository_is_refused_as_its_new_address_is_unchecked(forge: int) -> None:
    with pytest.raises(CrawlError, match="the repository has moved; use its new address"):
        remote_reader().head(f"http://127.0.0.1:{forge}/moved/code")
