"""What our servers log, without secrets."""

import logging

from rag_llm_system.domain.redaction import RedactingFormatter


def log_to_stderr(name: str) -> None:
    """Show the records of one of our loggers, from INFO on, redacted."""
    handler = logging.StreamHandler()
    handler.setFormatter(RedactingFormatter(logging.Formatter("%(asctime)s %(name)s: %(message)s")))
    logger = logging.getLogger(name)
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
