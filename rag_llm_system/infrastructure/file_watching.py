"""Tells which files below a folder change, as the operating system reports it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

from watchfiles import watch
from watchfiles._rust_notify import WatchfilesRustInternalError

from rag_llm_system.domain.errors import BackendError

# An editor that saves writes a file, renames it and sets its rights: one change, not three
_QUIET_MS = 100
_TOGETHER_MS = 1600
# How long it may take until a stop is noticed, and between two looks at every file where nothing reports changes
_WAIT_MS = 250
_POLL_MS = 500


def changes(
    root: Path,
    wanted: Callable[[Path], bool],
    *,
    stop: Event | None = None,
    polling: bool = False,
) -> Iterator[set[Path]]:
    """Paths below ``root`` that were written, made or removed and that are ``wanted``, those of one moment together.

    The first set comes at once and may be empty: nothing that happens after it is missed. Ends when ``stop`` is set;
    Ctrl-C raises KeyboardInterrupt. Where the operating system reports no changes, or has no more watches to give, as
    with ``polling``, all files are looked at twice a second; of what is written twice in one second, the second time
    may then be missed. Raises BackendError when the folder cannot be watched.
    """
    if not root.is_dir():
        raise BackendError(f"{root}: cannot be watched (no such folder)")
    try:
        yield from _changes(root, wanted, stop, polling=polling)
    except (OSError, WatchfilesRustInternalError) as error:
        if polling:
            raise BackendError(f"{root}: cannot be watched ({error})") from error
        yield from changes(root, wanted, stop=stop, polling=True)


def _changes(
    root: Path, wanted: Callable[[Path], bool], stop: Event | None, *, polling: bool
) -> Iterator[set[Path]]:
    batches = watch(
        root,
        watch_filter=lambda _, path: wanted(Path(path)),
        debounce=_TOGETHER_MS,
        step=_QUIET_MS,
        rust_timeout=_WAIT_MS,
        yield_on_timeout=True,
        stop_event=stop,
        force_polling=polling or None,
        poll_delay_ms=_POLL_MS,
        ignore_permission_denied=True,
    )
    for number, batch in enumerate(batches):
        if batch or not number:
            yield {Path(path) for _, path in batch}
