"""Reads dates as pages write them."""

import re
from collections.abc import Iterable
from datetime import date, datetime

_ISO = re.compile(
    r"(\d{4})-?(\d\d)-?(\d\d)"
    r"(?:[T\s]+(\d\d):(\d\d)(?::(\d\d)(?:[.,]\d+)?)?\s*(Z|UTC|GMT|[+-]\d\d:?\d\d|[+-]\d\d)?)?",
    re.IGNORECASE,
)
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan",
            "february feb",
            "march mar",
            "april apr",
            "may",
            "june jun",
            "july jul",
            "august aug",
            "september sept sep",
            "october oct",
            "november nov",
            "december dec",
        ),
        start=1,
    )
    for name in names.split()
}
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_WRITTEN = re.compile(
    rf"\b(?:(?P<month>{_MONTH})\.?\s+(?P<day>\d{{1,2}})(?:st|[nr]d|th)?,?\s+"
    rf"|(?P<day2>\d{{1,2}})(?:st|[nr]d|th)?\.?\s+(?P<month2>{_MONTH})\.?,?\s+)(?P<year>(?:19|20)\d\d)\b"
    r"|\b(?P<iso>(?:19|20)\d\d-\d\d-\d\d)\b",
    re.IGNORECASE,
)


def iso_date(text: str) -> str:
    """An ISO 8601 date, or time with its zone if it has one, of such or of a written date; "" for anything else."""
    found = _ISO.match(text.strip())
    if found is None:
        return written_date([text])
    year, month, day, hour, minute, second, zone = found.groups()
    stamp = f"{year}-{month}-{day}"
    if hour is not None:
        stamp += f"T{hour}:{minute}:{second or '00'}{_zone(zone)}"
    return stamp if _exists(stamp) else ""


def written_date(texts: Iterable[str]) -> str:
    """The first date, such as "March 5, 2025" or "5 Mar 2025", in English, or of ISO 8601."""
    for text in texts:
        for found in _WRITTEN.finditer(text):
            if found["iso"]:
                stamp = found["iso"]
            else:
                month = _MONTHS[(found["month"] or found["month2"]).lower()]
                stamp = f"{found['year']}-{month:02}-{int(found['day'] or found['day2']):02}"
            if _exists(stamp):
                return stamp
    return ""


def _zone(zone: str | None) -> str:
    if zone is None:
        return ""
    if zone[0] not in "+-":
        return "+00:00"
    digits = zone[1:].replace(":", "").ljust(4, "0")
    return f"{zone[0]}{digits[:2]}:{digits[2:]}"


def _exists(stamp: str) -> bool:
    try:
        found = datetime.fromisoformat(stamp)
    except ValueError:
        return False
    return date(1990, 1, 1) <= found.date()
