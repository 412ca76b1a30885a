"""Archives of repositories are read byte by byte, whatever is wrong with them is said, and nothing runs away."""

import gzip
import io
import os
import resource
import subprocess
import tarfile
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_llm_system.domain.documents import Source
from rag_llm_system.domain.errors import CrawlError
from rag_llm_system.infrastructure.fetchers.tarball import TarballRepositoryReader
from rag_llm_system.infrastructure.fetchers.text_files import RepositoryLimits

LINK = "https://codeload.github.com/owner/code/tar.gz/HEAD"
COMMIT = "ab" * 20
TEXTS = {
    ".github/workflow.yml": b"on: push\n",
    "README.md": b"# Code\r\n\r\n  trailing \n",
    "latin.txt": b"\xe9t\xe9\n",
    "src/a b.py": b"def f(x):\n\n\treturn x",
    "src/ü.py": b"\xef\xbb\xbfx = 1\n",
    "deep/" + "folder/" * 40 + "end.py": b"a path of more than 256 bytes\n",
}
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 3\n"


@dataclass
class Answer:
    """What a server sends: the archive in chunks."""

    chunks: Iterator[bytes]
    etag: str = '"v1"'


@dataclass
class Server:
    """Stands for HttpFetcher.download, with one archive at one link."""

    body: bytes
    etag: str = '"v1"'
    chunk_bytes: int = 16_384
    sent_bytes: int = field(default=0, init=False)

    @contextmanager
    def download(
        self, link: str, *, etag: str = "", max_bytes: int, timeout_s: float
    ) -> Iterator[Answer | None]:
        if link != LINK:
            raise CrawlError(link, "HTTP 404 Not Found", kind="gone")
        unchanged = bool(etag) and etag == self.etag
        yield None if unchanged else Answer(self._chunks(), self.etag)

    def _chunks(self) -> Iterator[bytes]:
        for start in range(0, len(self.body), self.chunk_bytes):
            self.sent_bytes += self.chunk_bytes
            yield self.body[start : start + self.chunk_bytes]


def reader_of(body: bytes, **limits: int) -> TarballRepositoryReader:
    return TarballRepositoryReader(Server(body).download, limits=RepositoryLimits(**limits))


def member(name: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, len(content)
    info.linkname = "/etc/passwd" if kind in {tarfile.SYMTYPE, tarfile.LNKTYPE} else ""
    return info


def tar_of(
    *entries: tuple[tarfile.TarInfo, bytes], commit: str = COMMIT, form: int = tarfile.PAX_FORMAT
) -> bytes:
    headers = {"comment": commit} if commit and form == tarfile.PAX_FORMAT else {}
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form, pax_headers=headers) as archive:
        for info, content in entries:
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def files_of(files: dict[str, bytes]) -> list[tuple[tarfile.TarInfo, bytes]]:
    folder = (member("code-ab/", kind=tarfile.DIRTYPE), b"")
    return [folder, *((member(f"code-ab/{name}", text), text) for name, text in files.items())]


def archive_of(files: dict[str, bytes]) -> bytes:
    return gzip.compress(tar_of(*files_of(files)), mtime=0)


def git_archive(folder: Path) -> bytes:
    """What GitHub sends, made by the same program."""

    def git(*arguments: str) -> bytes:
        identity = ("-c", "user.name=Nobody", "-c", "user.email=nobody@code.example")
        environment = {"PATH": os.defpath, "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
        command = ["git", "-C", str(folder), *identity, *arguments]
        return subprocess.run(command, check=True, capture_output=True, env=environment).stdout

    git("init", "-q")
    git("add", "-A")
    git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},library")
    git("commit", "-q", "-m", "first")
    commit = git("rev-parse", "HEAD").decode().strip()
    return git("archive", "--format=tar.gz", f"--prefix=code-{commit}/", "HEAD")


def test_the_text_files_of_a_git_archive_are_read_as_they_are(tmp_path: Path) -> None:
    binary = {"logo.png": b"\x89PNG\x00", "model.bin": LFS, "big.txt": b"a" * 600_000}
    for name, content in (TEXTS | binary).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    (tmp_path / "passwords").symlink_to("/etc/passwd")
    (tmp_path / "far").symlink_to("/" + "long/" * 40)
    snapshot = reader_of(git_archive(tmp_path)).read(LINK)
    assert {file.path: file.content for file in snapshot.files} == TEXTS
    assert [file.path for file in snapshot.files] == sorted(TEXTS, key=str.encode)
    assert snapshot.left_out == {"LFS pointer": 1, "binary": 1, "symlink": 2, "too large": 1}
    assert len(snapshot.commit) == 40
    assert snapshot.etag == '"v1"'


@settings(deadline=None, max_examples=50)
@given(
    files=st.dictionaries(
        st.lists(st.text("aé.- 日", min_size=1, max_size=60), min_size=1, max_size=5)
        .map("/".join)
        .filter(lambda path: not {".", ".."} & {*path.split("/")}),
        st.binary(max_size=3000).filter(lambda content: not {*b"\x00:"} & {*content}),
        min_size=1,
        max_size=6,
    ),
    form=st.sampled_from([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT]),
)
def test_every_file_comes_out_as_it_went_in(files: dict[str, bytes], form: int) -> None:
    body = gzip.compress(tar_of(*files_of(files), form=form))
    snapshot = reader_of(body).read(LINK)
    assert {file.path: file.content for file in snapshot.files} == files
    assert snapshot.commit == (COMMIT if form == tarfile.PAX_FORMAT else "")


def test_an_archive_whose_coding_was_removed_on_the_way_is_read_all_the_same() -> None:
    snapshot = reader_of(tar_of(*files_of(TEXTS))).read(LINK)
    assert {file.path: file.content for file in snapshot.files} == TEXTS


def test_a_link_may_ask_for_a_folder_or_for_one_file() -> None:
    files = TEXTS | {"src2/no.py": b"x", "src/sub/c.py": b"y"}
    reader = reader_of(archive_of(files))
    assert [file.path for file in reader.read(f"{LINK}#src").files] == [
        "src/a b.py",
        "src/ü.py",
        "src/sub/c.py",
    ]
    assert [file.path for file in reader.read(f"{LINK}#src/a%20b.py").files] == ["src/a b.py"]
    nothing = reader.read(f"{LINK}#absent")
    assert (nothing.files, nothing.left_out) == ((), {})


def test_what_comes_after_the_one_file_that_was_asked_for_is_not_read() -> None:
    server = Server(archive_of({"a.py": b"x", "noise": os.urandom(2_000_000)}))
    (file,) = TarballRepositoryReader(server.download).read(f"{LINK}#a.py").files
    assert file.content == b"x"
    assert server.sent_bytes < 100_000


def test_links_devices_and_names_that_lead_outside_are_refused_and_counted() -> None:
    top = "code-ab"
    hostile = [
        (member(f"{top}/link", kind=tarfile.SYMTYPE), b""),
        (member(f"{top}/hard", kind=tarfile.LNKTYPE), b""),
        (member(f"{top}/device", kind=tarfile.BLKTYPE), b""),
        (member(f"{top}/pipe", kind=tarfile.FIFOTYPE), b""),
        (member(f"{top}/../../etc/passwd", b"x"), b"x"),
        (member("../passwd", b"x"), b"x"),
        (member("/etc/passwd", b"x"), b"x"),
        (member("elsewhere/passwd", b"x"), b"x"),
        (member("no-folder", b"x"), b"x"),
    ]
    body = gzip.compress(tar_of(*files_of({"a.py": b"kept"}), *hostile))
    snapshot = reader_of(body).read(LINK)
    assert [(file.path, file.content) for file in snapshot.files] == [("a.py", b"kept")]
    assert snapshot.left_out == {
        "hard link": 1,
        "not a regular file": 2,
        "symlink": 1,
        "unsafe name": 5,
    }


def test_names_are_normalised_and_one_that_is_not_utf_8_is_left_out() -> None:
    tar = tar_of(
        (member("./code-ab//src/./a.py", b"x"), b"x"),
        (member("./code-ab/b@.py", b"y"), b"y"),
        form=tarfile.USTAR_FORMAT,
    )
    snapshot = reader_of(checksummed(tar.replace(b"b@.py", b"b\xe9.py"))).read(LINK)
    assert [file.path for file in snapshot.files] == ["src/a.py"]
    assert snapshot.left_out == {"file name not UTF-8": 1}


def checksummed(tar: bytes) -> bytes:
    """The archive with its headers' checksums corrected; all its members are smaller than a block."""
    blocks = [tar[at : at + 512] for at in range(0, len(tar), 512)]
    for number, block in enumerate(blocks):
        if block[257:262] == b"ustar":
            total = sum(block) - sum(block[148:156]) + 8 * ord(" ")
            blocks[number] = block[:148] + b"%06o\x00 " % total + block[156:]
    return b"".join(blocks)


def test_the_last_of_several_files_of_one_name_counts_as_for_tar() -> None:
    twice = [(member("code-ab/a.py", text), text) for text in (b"first", b"second")]
    gone = [
        (member("code-ab/b.py", b"text"), b"text"),
        (member("code-ab/b.py", kind=tarfile.SYMTYPE), b""),
    ]
    snapshot = reader_of(gzip.compress(tar_of(*twice, *gone))).read(LINK)
    assert [(file.path, file.content) for file in snapshot.files] == [("a.py", b"second")]
    assert snapshot.left_out == {"replaced in the archive": 2, "symlink": 1}


def test_beyond_the_limits_files_are_counted() -> None:
    def left_out(**limits: int) -> dict[str, int]:
        snapshot = reader_of(archive_of(TEXTS), **limits).read(LINK)
        assert len(snapshot.files) + sum(snapshot.left_out.values()) == len(TEXTS)
        return dict(snapshot.left_out)

    assert left_out(max_files=2) == {"over the total limit": len(TEXTS) - 2}
    assert left_out(max_total_bytes=40) == {"over the total limit": len(TEXTS) - 3}
    assert left_out(max_file_bytes=20) == {"too large": 2}


def known(etag: str = "", commit: str = "") -> Source:
    return Source(link=LINK, fetched_at=datetime.now(UTC), etag=etag, commit=commit)


def test_an_unchanged_archive_is_not_read_again() -> None:
    server = Server(archive_of({"noise": os.urandom(500_000)}))
    reader = TarballRepositoryReader(server.download)
    assert reader.read_if_changed(LINK, known(etag='"v1"')) is None
    assert server.sent_bytes == 0
    assert reader.read_if_changed(LINK, known(etag='"v0"', commit=COMMIT)) is None
    assert server.sent_bytes < 100_000  # its first block names the commit
    snapshot = reader.read_if_changed(LINK, known(etag='"v0"', commit="cd" * 20))
    assert snapshot is not None
    assert snapshot.commit == COMMIT == reader.head(LINK)


def test_a_comment_that_is_no_commit_is_none() -> None:
    body = gzip.compress(tar_of(*files_of({"a": b"x"}), commit="made by hand"))
    reader = reader_of(body)
    assert reader.read(LINK).commit == reader.head(LINK) == ""
    assert reader.read_if_changed(LINK, known()) is not None


def test_a_missing_repository_may_be_private() -> None:
    reader = reader_of(b"")
    for ask in (reader.head, reader.read):
        with pytest.raises(CrawlError, match="does not exist or is private") as raised:
            ask("https://codeload.github.com/owner/absent/tar.gz/HEAD")
        assert raised.value.kind == "gone"


def test_a_busy_server_is_reported_as_it_said() -> None:
    @contextmanager
    def busy(link: str, **_: object) -> Iterator[Answer | None]:
        raise CrawlError(link, "HTTP 429 Too Many Requests", kind="busy", retry_after_s=30.0)
        yield None

    with pytest.raises(CrawlError) as raised:
        TarballRepositoryReader(busy).read(LINK)
    assert (raised.value.kind, raised.value.retry_after_s) == ("busy", 30.0)


def damaged() -> dict[str, bytes]:
    tar = tar_of(*files_of({"a.py": b"x" * 2000, "b.py": os.urandom(40_000)}))
    whole = gzip.compress(tar)
    header = member("code-ab/a.py", b"x").tobuf(tarfile.USTAR_FORMAT)
    return {
        "cut off": whole[:-9000],
        "without its checksum": whole[:-8],
        "with another checksum": whole[:-8] + b"\x00" * 8,
        "with a changed bit": whole[:20_000] + bytes([whole[20_000] ^ 1]) + whole[20_001:],
        "a cut tar": gzip.compress(tar[:3000]),
        "a tar without an end": gzip.compress(tar[: len(tar.rstrip(b"\x00")) // 512 * 512 + 512]),
        "empty": b"",
        "a page": b"<html>moved</html>" * 100,
        "no tar": gzip.compress(b"text, not an archive " * 100),
        "a size of letters": gzip.compress(
            checksummed(header.replace(b"00000000001", b"0000000000x"))
        ),
        "a negative size": gzip.compress(checksummed(header[:124] + b"\xff" * 12 + header[136:])),
    }


@pytest.mark.parametrize("name", damaged())
def test_a_damaged_archive_is_an_error_in_one_line(name: str) -> None:
    with pytest.raises(CrawlError) as raised:
        reader_of(damaged()[name]).read(LINK)
    assert raised.value.kind == "damaged"
    assert raised.value.reason.startswith("the archive is damaged: ")
    assert "\n" not in raised.value.reason


@pytest.mark.parametrize(
    "extension",
    [
        b"30 path=code-ab/../../a\n",
        b"x path=a\n",
        b"99999999999999999999999 path=a\n",
        b"9 comment\n",
        b"8 path=a",
        b"0 path=a\n",
        b"12 size=-512\n",
        b"-1 path=a\n",
    ],
)
def test_a_malformed_extended_header_is_damage_and_no_endless_loop(extension: bytes) -> None:
    header = member("pax", extension, kind=tarfile.XHDTYPE).tobuf(tarfile.USTAR_FORMAT)
    body = header + extension.ljust(512, b"\x00") + tar_of((member("code-ab/a", b"x"), b"x"))
    with pytest.raises(CrawlError, match="the archive is damaged"):
        reader_of(gzip.compress(body)).read(LINK)


def cpu_s() -> float:
    return time.process_time()


def test_a_bomb_is_cut_off_at_the_limit_and_costs_little() -> None:
    """Two gigabytes of zeros in one member: skipped whole, they cost tarfile 80 seconds."""
    deflater = zlib.compressobj(9, wbits=31)
    pieces = [deflater.compress(tarfile_header("code-ab/zeros", 2_000_000_000))]
    zeros = b"\x00" * 1_000_000
    pieces += [deflater.compress(zeros) for _ in range(220)]  # of which 200 may be looked at
    body = b"".join(pieces) + deflater.flush()
    started, memory = cpu_s(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(CrawlError, match="more than 200,000,000 bytes") as raised:
        reader_of(body).read(LINK)
    assert raised.value.kind == "too large"
    assert cpu_s() - started < 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < 20_000  # KiB


def tarfile_header(name: str, size: int, kind: bytes = tarfile.REGTYPE) -> bytes:
    info = member(name, kind=kind)
    info.size = size
    return info.tobuf(tarfile.GNU_FORMAT)


def test_a_header_that_makes_tarfile_run_for_hours_is_refused_at_once() -> None:
    digits = b"1" * 10_000_000
    body = gzip.compress(tarfile_header("pax", len(digits), tarfile.XHDTYPE) + digits)
    started = cpu_s()
    with pytest.raises(CrawlError, match="a header of 10,000,000 bytes"):
        reader_of(body).read(LINK)
    digits = digits[:60_000]
    body = gzip.compress(tarfile_header("pax", len(digits), tarfile.XHDTYPE) + digits.ljust(60_416))
    with pytest.raises(CrawlError, match="the archive is damaged"):
        reader_of(body).read(LINK)
    assert cpu_s() - started < 2


def test_many_empty_members_are_read_in_seconds() -> None:
    header = tarfile_header("code-ab/empty", 0)
    body = gzip.compress(header * 30_000 + b"\x00" * 1024)
    started = cpu_s()
    snapshot = reader_of(body).read(LINK)
    assert cpu_s() - started < 5
    assert snapshot.left_out == {"replaced in the archive": 29_999}
