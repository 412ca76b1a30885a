"""When a document was published, as a number that stores can compare."""

import re
from datetime import date

from rag_llm_system.domain.documents import Metadata

_ISO_DATE = re.compile(r"(\d{4})(?:-?(\d\d)(?:-?(\d\d))?)?(?!\d)")


def publication_facts(metadata: Metadata) -> Metadata:
    """``published_on`` as yyyymmdd, 20240131, from the ISO 8601 text that crawlers put into ``published_at``.

    Of a month or a year it is the first day. Nothing when there is no date, or none that exists.
    """
    found = _ISO_DATE.match(str(metadata.get("published_at", "")).strip())
    if found is None:
        return {}
    year, month, day = (int(part or 1) for part in found.groups())
    try:
        date(year, month, day)
    except ValueError:
        return {}
    return {"published_on": year * 10_000 + month * 100 + day}
