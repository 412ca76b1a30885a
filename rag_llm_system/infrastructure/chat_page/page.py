"""Serves the page and its files, read once when the app is made."""

import hashlib
from pathlib import Path

from fastapi import FastAPI, HTTPException, Request, Response

from rag_llm_system.domain.documents import Value

# The page shows texts that others wrote. Scripts and styles come from this server alone, none stands in the page, and
# no script may hand a text to the browser's HTML parser (Trusted Types).
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)

_FOLDER = Path(__file__).parent
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",  # kept, and asked for again by its ETag: an update shows at once
}


class _File(Value):
    content: bytes
    kind: str
    etag: str


def mount(app: FastAPI) -> None:
    """Adds ``/`` and ``/static/<name>``; a name is looked up in a table, so no path leads out of the folder."""
    page = _read(_FOLDER / "index.html")
    files = {path.name: _read(path) for path in sorted((_FOLDER / "static").iterdir())}

    @app.api_route("/", methods=["GET", "HEAD"], include_in_schema=False)
    async def index(request: Request) -> Response:
        return _answer(page, request)

    @app.api_route("/static/{name:path}", methods=["GET", "HEAD"], include_in_schema=False)
    async def static(name: str, request: Request) -> Response:
        if name not in files:
            raise HTTPException(404, "no such file")
        return _answer(files[name], request)


def _read(path: Path) -> _File:
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    return _File(content=content, kind=_TYPES[path.suffix], etag=f'"{digest[:32]}"')


def _answer(file: _File, request: Request) -> Response:
    headers = {**_HEADERS, "ETag": file.etag}
    if file.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(file.content, headers=headers, media_type=file.kind)
