"""What the browser's own log tells of a visit: the answer, where it led, and what is still under way.

ChromeDriver passes on the events of the DevTools protocol's Page and Network domains. Unlike the page's own
``performance`` object they cannot be made up by the page's scripts, and they have the headers of the answer.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

# Requests that bring no part of the page's text, or never end
_OFF_THE_PAGE = frozenset(
    {"EventSource", "Font", "Image", "Manifest", "Media", "Other", "Ping", "Prefetch", "WebSocket"}
)


@dataclass(frozen=True)
class Response:
    """The head of the answer that a document came with; header names in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = ""


class VisitLog:
    """Follows one visit of one tab; ``main`` is the id of its main frame.

    ``url`` and ``document`` are of the document that is shown; ``document`` is "" before there is one. ``error`` is
    the browser's name of what last went wrong on the way to a document, ``has_error_page`` whether it shows that.
    """

    def __init__(self, main: str) -> None:
        self._main = main
        self._responses: dict[str, Response] = {}
        self._documents: set[str] = set()
        self._under_way: dict[str, float] = {}
        self._now_s = 0.0
        self.url = ""
        self.document = ""
        self.error = ""
        self.has_error_page = False
        self.has_download = False

    @property
    def response(self) -> Response | None:
        """What the shown document came with; None for one that no server sent."""
        return self._responses.get(self.document)

    @property
    def last_response(self) -> Response | None:
        """The newest answer to the tab itself, shown or not."""
        return next(reversed(self._responses.values()), None)

    def waiting_s(self, now_s: float) -> float | None:
        """How long ago the newest request was sent that may still bring text; None: there is none."""
        return now_s - max(self._under_way.values()) if self._under_way else None

    def read(self, events: Iterable[Mapping[str, Any]], now_s: float) -> None:
        """Takes in events, oldest first; those of other tabs must have been left out."""
        self._now_s = now_s
        for event in events:
            if reader := _READERS.get(event["method"]):
                reader(self, event["params"])

    def _request_sent(self, params: Mapping[str, Any]) -> None:
        if params.get("type") not in _OFF_THE_PAGE:
            self._under_way[params["requestId"]] = self._now_s
        if params.get("type") == "Document" and params.get("frameId") == self._main:
            self._documents.add(params["requestId"])

    def _request_ended(self, params: Mapping[str, Any]) -> None:
        self._under_way.pop(params["requestId"], None)

    def _request_failed(self, params: Mapping[str, Any]) -> None:
        self._under_way.pop(params["requestId"], None)
        if params["requestId"] in self._documents:
            self.error = str(params.get("errorText", "")).removeprefix("net::")

    def _response_received(self, params: Mapping[str, Any]) -> None:
        if params.get("type") != "Document" or params.get("frameId") != self._main:
            return
        response = params["response"]
        headers = {name.lower(): str(value) for name, value in response["headers"].items()}
        media_type = str(response.get("mimeType", "")).lower()
        self._responses[params["loaderId"]] = Response(response["status"], headers, media_type)

    def _frame_navigated(self, params: Mapping[str, Any]) -> None:
        frame = params["frame"]
        if frame["id"] != self._main:
            return
        self.document = frame["loaderId"]
        self.has_error_page = bool(frame.get("unreachableUrl"))
        self.url = frame.get("unreachableUrl") or frame["url"]
        self._under_way.clear()  # what the previous document had asked for is cancelled

    def _navigated_within_document(self, params: Mapping[str, Any]) -> None:
        if params["frameId"] == self._main:
            self.url = params["url"]

    def _download_begins(self, params: Mapping[str, Any]) -> None:
        self.has_download |= params["frameId"] == self._main


_READERS = {
    "Network.requestWillBeSent": VisitLog._request_sent,
    "Network.loadingFinished": VisitLog._request_ended,
    "Network.loadingFailed": VisitLog._request_failed,
    "Network.responseReceived": VisitLog._response_received,
    "Page.frameNavigated": VisitLog._frame_navigated,
    "Page.navigatedWithinDocument": VisitLog._navigated_within_document,
    "Page.downloadWillBegin": VisitLog._download_begins,
}
