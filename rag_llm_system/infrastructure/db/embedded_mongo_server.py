"""The embedded MongoDB-compatible server: one process per data folder, ending with its last client.

The adapter (`embedded_mongo.py`) runs it with ``python -m`` and passes on the held ``server.lock``, which is
free again when this process ends. Engine and watch share the one process, so nothing outlives it.
"""

import asyncio
import logging
import os
import signal
import sys
import threading
from functools import partial
from pathlib import Path

from nx_27017 import NeoSQLiteHandler  # type: ignore[import-untyped] # has no py.typed
from nx_27017.server import handle_client  # type: ignore[import-untyped]

from rag_llm_system.infrastructure.db.embedded_mongo_folder import (
    HOST,
    Endpoint,
    ServerFolder,
    try_lock,
)

CLIENTS_POLL_S = 0.2
STOP_TIMEOUT_S = 10.0  # for the operations under way; afterwards the process ends without them


def main(folder: ServerFolder) -> None:
    """Serve until the last client is gone, or until SIGTERM."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    engine = NeoSQLiteHandler(data_dir=str(folder.path))
    try:
        asyncio.run(_serve(engine, folder))  # returns after the operations under way
    finally:
        engine.close_all()


async def _serve(engine: NeoSQLiteHandler, folder: ServerFolder) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    server = await asyncio.start_server(partial(handle_client, handler=engine), HOST, 0)
    folder.publish(Endpoint(os.getpid(), port=server.sockets[0].getsockname()[1]))
    # the lock, once taken, is kept to the end: whoever comes now waits for it, then starts anew
    while not stopping.is_set() and try_lock(folder.clients_lock) is None:
        await asyncio.sleep(CLIENTS_POLL_S)
    folder.withdraw()
    server.close()
    _end_in(STOP_TIMEOUT_S)


def _end_in(seconds: float) -> None:
    watchdog = threading.Timer(seconds, os._exit, args=(1,))
    watchdog.daemon = True
    watchdog.start()


def _leave_parent() -> None:
    """Go on in a child that belongs to no one: no zombie is left to whoever started us."""
    if os.fork():
        os._exit(0)


if __name__ == "__main__":
    _leave_parent()
    main(ServerFolder(Path(sys.argv[1])))
