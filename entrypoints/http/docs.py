"""The contract, a page to try it on, and what each kind of problem means; all from this origin."""

import asyncio
from html import escape
from pathlib import Path

from litestar import get
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from domain.kernel.errors import NotFound
from entrypoints.http.kit.answers import Answer
from entrypoints.http.kit.api import ApiRequest
from entrypoints.http.problems.kinds import HOME, KINDS

_STATIC = Path(__file__).parent / "static"
_HTML, _JS, _CSS = b"text/html; charset=utf-8", b"text/javascript; charset=utf-8", b"text/css; charset=utf-8"
_ASSETS = {
    "start.js": (_STATIC / "docs" / "start.js", _JS),
    "swagger-ui-bundle.js": (_STATIC / "swagger-ui" / "swagger-ui-bundle.js", _JS),
    "swagger-ui.css": (_STATIC / "swagger-ui" / "swagger-ui.css", _CSS),
}
_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    b"font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_SAFE = [(b"content-security-policy", _POLICY), (b"x-content-type-options", b"nosniff")]


@get("/openapi.json")
async def contract(request: ApiRequest) -> Answer:
    """The OpenAPI document; written in a thread, since the first time takes a quarter of a second."""
    return Answer(200, await asyncio.to_thread(request.api.contract))


@get("/docs")
async def docs() -> Answer:
    """The page of Swagger UI, which reads `/openapi.json`."""
    return Answer(200, (_STATIC / "docs" / "index.html").read_bytes(), _SAFE, media_type=_HTML)


@get("/docs/{name:str}")
async def asset(name: FromPath[str]) -> Answer:
    """A script or style sheet of the page.

    Raises:
        NotFound: there is no file of this name.
    """
    if name not in _ASSETS:
        raise NotFound(f"no asset '{name}'")
    path, media_type = _ASSETS[name]
    headers = [*_SAFE, (b"cache-control", b"public, max-age=3600")]
    return Answer(200, path.read_bytes(), headers, media_type=media_type)


@get("/problems")
async def problems() -> Answer:
    """All kinds of problems on one page."""
    return _page("Problems", "".join(_section(kind) for kind in KINDS))


@get("/problems/{kind:str}")
async def problem(kind: FromPath[str]) -> Answer:
    """One kind: where a problem's `type` leads."""
    if kind not in KINDS:
        raise NotFound(f"no kind of problem '{kind}'")
    return _page(KINDS[kind].title, _section(kind))


def _section(kind: str) -> str:
    shape = KINDS[kind]
    return (
        f"<section><h2>{shape.status} · {escape(shape.title)}</h2><p><code>{HOME}{kind}</code></p>"
        f"<p>{escape(shape.advice)}</p></section>"
    )


def _page(title: str, content: str) -> Answer:
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><link rel="icon" href="data:,">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)} – Posthorn</title>"
        "<style>body{font:1rem/1.5 system-ui,sans-serif;max-width:42rem;margin:2rem auto;padding:0 1rem}"
        f"code{{color:#555}}</style></head><body>{content}"
        '<p><a href="/problems">All problems</a> · <a href="/docs">API</a></p></body></html>'
    )
    return Answer(200, page.encode(), _SAFE, media_type=_HTML)


ROUTES: list[ControllerRouterHandler] = [contract, docs, asset, problems, problem]
