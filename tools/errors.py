"""How a command ends: one clear line for what we foresaw, and an exit code that scripts can trust."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rag_llm_system.domain.errors import ConfigurationError, CrawlError, DataError, RagSystemError
from rag_llm_system.domain.redaction import redact

EXIT_INPUT = 2
EXIT_FAILED = 1
EXIT_INTERRUPTED = 130


@contextmanager
def clean_exit() -> Iterator[None]:
    """Our errors become one line on standard error: exit code 2 for bad input, 1 for a failed backend."""
    try:
        yield
    except (ConfigurationError, DataError, CrawlError) as error:
        _end(error, EXIT_INPUT)
    except RagSystemError as error:
        _end(error, EXIT_FAILED)
    except KeyboardInterrupt:
        sys.stderr.write("\nInterrupted; what was stored is kept, the next run goes on from it.\n")
        sys.exit(EXIT_INTERRUPTED)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(EXIT_FAILED)


def _end(error: RagSystemError, code: int) -> None:
    sys.stderr.write(f"error: {redact(str(error))}\n")
    sys.exit(code)
