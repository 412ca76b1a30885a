"""ZIP archives are read file by file, within limits, and what is wrong with one is said in a line."""

import hashlib
import io
import struct
import time
import zipfile
from pathlib import Path

import pytest

from rag_llm_system.domain.errors import CrawlError
from rag_llm_system.infrastructure.fetchers.archive import ZipArchive


def write(path: Path, files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def test_files_are_listed_and_read_as_they_are(tmp_path: Path) -> None:
    files = {"posts/ü.html": b"\xff\x00text", "a.csv": b"1,2\r\n", "empty": b""}
    path = write(tmp_path / "export.zip", files)
    with zipfile.ZipFile(path, "a") as more:
        more.writestr("folder/", b"")
    with ZipArchive(path) as archive:
        assert archive.names() == sorted(files)
        assert {name: archive.read(name) for name in files} == files
        assert archive.left_out == {}
        assert archive.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_names_that_lead_outside_are_neither_listed_nor_read(tmp_path: Path) -> None:
    hostile = ["../x", "/etc/passwd", "a/../../x", "..\\x", "C:/x", "\\\\server\\x"]
    path = write(tmp_path / "x.zip", dict.fromkeys([*hostile, "good"], b"x"))
    with ZipArchive(path) as archive:
        assert archive.names() == ["good"]
        assert archive.left_out == {"unsafe name": len(hostile)}
        with pytest.raises(CrawlError, match="there is no file"):
            archive.read("../x")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["x.zip"]


def test_an_archive_inside_the_archive_is_only_a_file(tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as nested:
        nested.writestr("secret.txt", b"x")
    with ZipArchive(write(tmp_path / "x.zip", {"inner.zip": inner.getvalue()})) as archive:
        assert archive.names() == ["inner.zip"]


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x05\x06" + b"\xff" * 18])
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.zip").write_bytes(content)
    with pytest.raises(CrawlError, match="not a ZIP archive, or a damaged one") as raised:
        ZipArchive(tmp_path / "x.zip")
    assert raised.value.kind == "damaged"


def test_a_file_that_is_not_there_is_named_without_its_folder(tmp_path: Path) -> None:
    with pytest.raises(CrawlError, match=r"^file:absent.zip: cannot read the file: No such file"):
        ZipArchive(tmp_path / "absent.zip")
    with pytest.raises(CrawlError, match="cannot read the file: Is a directory"):
        ZipArchive(tmp_path)


def test_a_file_cut_off_or_changed_is_damaged(tmp_path: Path) -> None:
    path = write(tmp_path / "x.zip", {"a": b"text " * 1000}, zipfile.ZIP_STORED)
    body = path.read_bytes()
    path.write_bytes(body[:100] + b"X" + body[101:])
    with ZipArchive(path) as archive, pytest.raises(CrawlError, match="'a' in it is damaged"):
        archive.read("a")
    path.write_bytes(body[:-30])
    with pytest.raises(CrawlError, match="not a ZIP archive, or a damaged one"):
        ZipArchive(path)


def test_an_encrypted_file_is_refused_with_the_way_out(tmp_path: Path) -> None:
    path = write(tmp_path / "x.zip", {"a": b"text", "b": b"open"})
    body = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        body[body.index(signature) + offset] |= 1  # the flag "encrypted"
    path.write_bytes(body)
    with ZipArchive(path) as archive:
        assert archive.read("b") == b"open"
        with pytest.raises(CrawlError, match="encrypted; pack it again without a password"):
            archive.read("a")


def test_other_ways_of_packing_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "x.zip", {"a": b"text"}, zipfile.ZIP_BZIP2)
    with ZipArchive(path) as archive, pytest.raises(CrawlError, match="in an unusual way"):
        archive.read("a")


def test_a_bomb_is_refused_by_what_it_says_of_itself(tmp_path: Path) -> None:
    path = write(tmp_path / "x.zip", {"bomb": b"\x00" * 15_000_000})
    with ZipArchive(path) as archive, pytest.raises(CrawlError, match="more than is") as raised:
        archive.read("bomb")
    assert raised.value.kind == "too large"


def test_a_bomb_that_lies_about_its_size_is_cut_off_while_it_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "x.zip", {"bomb": b"\x00" * 100_000_000})
    body = bytearray(path.read_bytes())
    central = body.index(b"PK\x01\x02")
    struct.pack_into("<L", body, central + 24, 1_000)  # says 1,000 bytes
    path.write_bytes(body)
    started = time.process_time()
    with ZipArchive(path) as archive, pytest.raises(CrawlError, match="'bomb' in it is damaged"):
        archive.read("bomb")
    assert time.process_time() - started < 2


def test_files_over_the_limits_of_size_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "x.zip", {name: b"x" * 60 for name in "ab"}, zipfile.ZIP_STORED)
    with ZipArchive(path, max_file_bytes=59) as archive, pytest.raises(CrawlError):
        archive.read("a")
    with ZipArchive(path, max_total_bytes=100) as archive:
        assert archive.read("a")
        with pytest.raises(CrawlError, match="bytes a file, 100 in all") as raised:
            archive.read("b")
    assert raised.value.kind == "too large"
