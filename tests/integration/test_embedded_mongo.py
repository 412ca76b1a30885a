"""The embedded MongoDB server: shared by processes, gone with the last one, however that one ends."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rag_llm_system.domain.documents import Document, Source
from rag_llm_system.domain.errors import ConfigurationError, StoreCorrupt, StoreUnavailable
from rag_llm_system.infrastructure.db.embedded_mongo import EmbeddedMongoDocumentStore, status
from rag_llm_system.infrastructure.db.embedded_mongo_folder import Endpoint

DEADLINE_S = 20.0

# a process of its own: opens the store, says where the server is, and keeps it open until its stdin ends
CLIENT = """
import sys
from pathlib import Path
from rag_llm_system.infrastructure.db.embedded_mongo import EmbeddedMongoDocumentStore, status

data_dir = Path(sys.argv[1])
store = EmbeddedMongoDocumentStore(data_dir, "twin")
print(status(data_dir).pid, flush=True)
sys.stdin.read()
"""

# saves documents without end and reports the link of each once its save has returned
WRITER = """
import itertools, sys
from datetime import UTC, datetime
from pathlib import Path
from rag_llm_system.domain.documents import Document, Source
from rag_llm_system.infrastructure.db.embedded_mongo import EmbeddedMongoDocumentStore

store = EmbeddedMongoDocumentStore(Path(sys.argv[1]), "twin")
for n in itertools.count():
    source = Source(link=f"https://example.org/{n}", fetched_at=datetime.now(UTC))
    document = Document(category="articles", platform="p", text="text " * 200, author_id="1",
                        author_full_name="A", source=source)
    store.save([document])
    print(source.link, flush=True)
"""


@contextmanager
def running(script: str, data_dir: Path) -> Iterator[subprocess.Popen[str]]:
    """The script in a process group of its own, as a terminal would start it."""
    with subprocess.Popen(
        [sys.executable, "-c", script, str(data_dir)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as process:
        yield process
        process.kill()


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def eventually(condition: Callable[[], bool]) -> bool:
    """Ask again until it is true, at most until the deadline."""
    deadline = time.monotonic() + DEADLINE_S
    while not (met := condition()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return met


def nothing_is_left(data_dir: Path) -> bool:
    """The server's lock is free: the kernel frees it when the last process that inherited it has ended."""
    return eventually(lambda: status(data_dir) is None)


def has_ended(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def server_of(data_dir: Path) -> Endpoint:
    endpoint = status(data_dir)
    assert endpoint is not None
    return endpoint


def a_document(link: str = "https://example.org/a") -> Document:
    return Document(
        category="articles",
        platform="p",
        text="text",
        author_id="1",
        author_full_name="A",
        source=Source(link=link, fetched_at=datetime(2025, 1, 1, tzinfo=UTC)),
    )


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "a folder with späces" / ".rag"


def test_two_processes_share_one_server_and_the_last_one_ends_it(data_dir: Path) -> None:
    ours = EmbeddedMongoDocumentStore(data_dir, "twin")
    pid = server_of(data_dir).pid

    with running(CLIENT, data_dir) as theirs:
        assert line_of(theirs) == str(pid)
        ours.save([a_document()])
        ours.close()
        again = EmbeddedMongoDocumentStore(data_dir, "twin")
        assert server_of(data_dir).pid == pid
        again.close()
        theirs.communicate()

    assert theirs.returncode == 0
    assert nothing_is_left(data_dir)
    assert eventually(lambda: has_ended(pid))


def test_what_was_saved_is_there_after_the_server_ended(data_dir: Path) -> None:
    first = EmbeddedMongoDocumentStore(data_dir, "twin")
    first.save([a_document()])
    first.close()
    assert nothing_is_left(data_dir)

    second = EmbeddedMongoDocumentStore(data_dir, "twin")

    assert list(second.find("articles")) == [a_document()]
    second.close()


def test_processes_that_start_at_once_share_one_server(data_dir: Path) -> None:
    with (
        running(CLIENT, data_dir) as one,
        running(CLIENT, data_dir) as two,
        running(CLIENT, data_dir) as three,
    ):
        pids = {line_of(process) for process in (one, two, three)}
        assert len(pids) == 1
    assert nothing_is_left(data_dir)


def test_a_client_killed_while_it_writes_loses_nothing_and_leaves_nothing(data_dir: Path) -> None:
    with running(WRITER, data_dir) as writer:
        acknowledged = [line_of(writer) for _ in range(50)]
        writer.kill()
        assert writer.stdout is not None
        acknowledged += writer.stdout.read().split()
    assert nothing_is_left(data_dir)

    store = EmbeddedMongoDocumentStore(data_dir, "twin")

    assert set(acknowledged) <= {document.link for document in store.find("articles")}
    store.close()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_server_leaves_nothing_and_the_next_store_starts_another(
    data_dir: Path, number: signal.Signals
) -> None:
    bystander = EmbeddedMongoDocumentStore(data_dir, "twin")
    first = EmbeddedMongoDocumentStore(data_dir, "twin")
    first.save([a_document()])
    first.close()
    killed = server_of(data_dir)

    os.kill(killed.pid, number)
    assert nothing_is_left(data_dir)

    second = EmbeddedMongoDocumentStore(data_dir, "twin")
    assert list(second.find("articles")) == [a_document()]
    assert server_of(data_dir).pid != killed.pid
    second.close()
    bystander.close()


def test_a_store_whose_server_was_killed_says_so(data_dir: Path) -> None:
    store = EmbeddedMongoDocumentStore(data_dir, "twin")
    store.count("articles")
    os.kill(server_of(data_dir).pid, signal.SIGKILL)

    with pytest.raises(StoreUnavailable, match=r"^embedded MongoDB in .*/mongo does not answer"):
        store.count("articles")
    store.close()


def test_ctrl_c_ends_the_client_and_not_the_others_server(data_dir: Path) -> None:
    ours = EmbeddedMongoDocumentStore(data_dir, "twin")
    with running(WRITER, data_dir) as writer:
        line_of(writer)
        os.killpg(writer.pid, signal.SIGINT)
        writer.wait(DEADLINE_S)
    assert ours.count("articles") >= 1

    ours.close()

    assert nothing_is_left(data_dir)


def test_ctrl_c_in_the_process_that_started_the_server_leaves_nothing(data_dir: Path) -> None:
    with running(WRITER, data_dir) as writer:
        line_of(writer)
        os.killpg(writer.pid, signal.SIGINT)
        writer.wait(DEADLINE_S)

    assert nothing_is_left(data_dir)


def test_what_a_dead_server_published_is_ignored(data_dir: Path) -> None:
    folder = data_dir / "mongo"
    folder.mkdir(parents=True)
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        port = stranger.getsockname()[1]
        stale = json.dumps({"pid": os.getpid(), "port": port})
        (folder / "server.json").write_text(stale, encoding="utf-8")
        assert status(data_dir) is None

        store = EmbeddedMongoDocumentStore(data_dir, "twin")

        assert server_of(data_dir).port != port
        assert store.save([a_document()]).new == 1
        store.close()


def test_two_clones_have_a_server_each(tmp_path: Path) -> None:
    one = EmbeddedMongoDocumentStore(tmp_path / "one", "twin")
    two = EmbeddedMongoDocumentStore(tmp_path / "two", "twin")

    one.save([a_document()])

    assert two.count("articles") == 0
    assert server_of(tmp_path / "one").pid != server_of(tmp_path / "two").pid
    one.close()
    two.close()


def test_the_server_listens_on_loopback_only(data_dir: Path) -> None:
    store = EmbeddedMongoDocumentStore(data_dir, "twin")
    elsewhere = ("127.0.0.2", server_of(data_dir).port)  # another address of this machine

    with (
        pytest.raises(OSError, match=r"refused|assign|timed out"),
        socket.create_connection(elsewhere, timeout=3),
    ):
        pass
    store.close()


@pytest.mark.parametrize("name", ["twin.db", "admin.db"])
def test_a_damaged_file_is_named_and_left_where_it_is(data_dir: Path, name: str) -> None:
    damaged = data_dir / "mongo" / name
    damaged.parent.mkdir(parents=True)
    damaged.write_bytes(b"not a database " * 100)

    with (
        pytest.raises(StoreCorrupt, match=r"/mongo is damaged .* move that folder away"),
        closing(EmbeddedMongoDocumentStore(data_dir, "twin")) as store,
    ):
        store.count("articles")

    assert damaged.read_bytes() == b"not a database " * 100


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StoreUnavailable, match=r"Not a directory.*correct DATA_DIR"):
        EmbeddedMongoDocumentStore(tmp_path / "file", "twin")


def test_a_malformed_database_name_is_refused_and_ends_the_server(data_dir: Path) -> None:
    with pytest.raises(ConfigurationError, match="correct DATABASE_HOST or DATABASE_NAME"):
        EmbeddedMongoDocumentStore(data_dir, "not a name")

    assert nothing_is_left(data_dir)


def test_asking_for_the_status_makes_no_folder(data_dir: Path) -> None:
    assert status(data_dir) is None
    assert not data_dir.exists()
