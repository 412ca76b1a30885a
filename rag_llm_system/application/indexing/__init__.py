"""Documents -> chunks -> vectors -> store, touching only what changed; edits, deletions and settings included.

::

    cleaned.py       the cleaned collections follow the data warehouse
    chunks.py        the chunk collections follow the cleaned ones: what to embed, what is stale, when to switch
    candidate.py     the same, judged before it goes live
    held.py          which documents a chunk collection holds, and whether all of their points are there
    collections.py   names and specs; which collections are live
    reports.py       what a run did, and why

Nothing about a run is remembered anywhere but in the store itself: each record carries the fingerprint of what it was
made of (``preprocessing/fingerprints.py``). So a run that was killed is completed by the next one, and a run without
changes writes nothing.
"""

from rag_llm_system.application.indexing.chunks import Indexer
from rag_llm_system.application.indexing.cleaned import cleaned_documents
from rag_llm_system.application.indexing.collections import live_collections
from rag_llm_system.application.indexing.reports import EmbedReport, LoadReport

__all__ = ["EmbedReport", "Indexer", "LoadReport", "cleaned_documents", "live_collections"]
