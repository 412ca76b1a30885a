"""What a browser's log tells of a visit."""

from typing import Any

from rag_llm_system.infrastructure.fetchers.browser_log import Response, VisitLog

Event = dict[str, Any]


def sent(request: str, kind: str = "Document", frame: str = "tab") -> Event:
    params = {"requestId": request, "type": kind, "frameId": frame, "loaderId": request}
    return {"method": "Network.requestWillBeSent", "params": params}


def answered(request: str, status: int = 200, frame: str = "tab", **headers: str) -> Event:
    response = {"status": status, "headers": headers, "mimeType": "text/HTML"}
    params = {
        "requestId": request,
        "loaderId": request,
        "frameId": frame,
        "type": "Document",
        "response": response,
    }
    return {"method": "Network.responseReceived", "params": params}


def finished(request: str) -> Event:
    return {"method": "Network.loadingFinished", "params": {"requestId": request}}


def failed(request: str, error: str) -> Event:
    params = {"requestId": request, "errorText": error, "type": "Document"}
    return {"method": "Network.loadingFailed", "params": params}


def shown(request: str, url: str, frame: str = "tab", **more: str) -> Event:
    params = {"frame": {"id": frame, "loaderId": request, "url": url, **more}}
    return {"method": "Page.frameNavigated", "params": params}


def log_of(*events: Event) -> VisitLog:
    log = VisitLog("tab")
    log.read(events, 0.0)
    return log


def test_a_visit_is_what_the_tab_shows_at_last() -> None:
    first = (sent("1"), answered("1", Server="a"), shown("1", "http://site.example/"))
    second = (sent("2"), answered("2", 404, Server="b"), shown("2", "http://site.example/2"))
    log = log_of(*first, *second)
    assert (log.url, log.document) == ("http://site.example/2", "2")
    assert log.response == Response(404, {"server": "b"}, "text/html")


def test_frames_inside_the_page_are_not_the_page() -> None:
    log = log_of(
        sent("1"),
        answered("1"),
        shown("1", "http://site.example/"),
        sent("2", frame="inner"),
        answered("2", 500, "inner"),
        shown("2", "http://inner.example/", "inner"),
        sent("3", frame="inner"),
        failed("3", "net::ERR_FAILED"),
    )
    assert (log.url, log.error) == ("http://site.example/", "")
    assert log.response is not None
    assert log.response.status == 200


def test_an_error_page_is_known_with_its_reason() -> None:
    log = log_of(
        sent("1"),
        failed("1", "net::ERR_NAME_NOT_RESOLVED"),
        shown("1", "chrome-error://chromewebdata/", unreachableUrl="http://site.example/"),
    )
    assert log.has_error_page
    assert (log.url, log.error) == ("http://site.example/", "ERR_NAME_NOT_RESOLVED")
    assert log.response is None


def test_a_download_shows_no_document() -> None:
    begins = {"method": "Page.downloadWillBegin", "params": {"frameId": "tab"}}
    log = log_of(sent("1"), answered("1"), failed("1", "net::ERR_ABORTED"), begins)
    assert (log.document, log.has_download) == ("", True)
    assert log.response is None
    assert log.last_response is not None
    assert log_of({**begins, "params": {"frameId": "inner"}}).has_download is False


def test_an_address_that_a_script_writes_counts() -> None:
    moved = {
        "method": "Page.navigatedWithinDocument",
        "params": {"frameId": "tab", "url": "http://site.example/b"},
    }
    log = log_of(sent("1"), answered("1"), shown("1", "http://site.example/a"), moved)
    assert (log.url, log.document) == ("http://site.example/b", "1")


def test_requests_under_way_are_known_by_the_newest() -> None:
    log = VisitLog("tab")
    log.read([sent("1"), answered("1"), shown("1", "http://site.example/"), finished("1")], 1.0)
    assert log.waiting_s(1.0) is None
    log.read([sent("2", "Fetch")], 2.0)
    log.read([sent("3", "XHR")], 3.0)
    assert log.waiting_s(5.0) == 2.0
    log.read([finished("3")], 5.0)
    assert log.waiting_s(5.0) == 3.0
    log.read([failed("2", "net::ERR_FAILED")], 5.0)
    assert log.waiting_s(5.0) is None


def test_requests_that_bring_no_text_are_not_waited_for() -> None:
    kinds = ("EventSource", "WebSocket", "Image", "Media", "Font", "Ping")
    log = log_of(*(sent(kind, kind) for kind in kinds))
    assert log.waiting_s(1.0) is None


def test_what_a_page_had_asked_for_is_forgotten_with_it() -> None:
    log = log_of(sent("1", "Fetch"), sent("2"), answered("2"), shown("2", "http://site.example/"))
    assert log.waiting_s(1.0) is None


def test_events_that_mean_nothing_to_a_visit_are_left_out() -> None:
    assert log_of({"method": "Page.loadEventFired", "params": {}}).document == ""
