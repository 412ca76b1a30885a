"""Reads any text as an HTML tree."""

import re
from typing import Any

from lxml import etree, html

# What XML cannot carry; libxml2 cuts a page off at a NUL.
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")


def tree_of(page: str) -> Any:
    """The root element, or None where there is nothing to read.

    Bytes, with the encoding said beside them: lxml refuses text that declares an encoding of its own. What is nested
    deeper than libxml2 allows (256 elements) is left out.
    """
    parser = html.HTMLParser(
        encoding="utf-8", remove_comments=True, remove_pis=True, collect_ids=False
    )
    try:
        root = html.document_fromstring(
            _CONTROLS.sub(" ", page).encode("utf-8", "replace"), parser=parser
        )
    except etree.ParserError:  # an empty document
        return None
    return root
