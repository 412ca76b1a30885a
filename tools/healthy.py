"""Asks a server whether it is ready: the health check of the images, which have neither curl nor wget."""

import sys
import urllib.request

_TIMEOUT_S = 4


def main() -> int:
    """0 when the address answers 200; else 1, and why."""
    try:
        with urllib.request.urlopen(sys.argv[1], timeout=_TIMEOUT_S):  # noqa: S310 - of the Dockerfile
            return 0
    except (OSError, IndexError, ValueError) as error:
        print(f"not ready: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
