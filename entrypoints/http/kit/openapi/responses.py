"""The answers of an operation: what it returns, and the problems it can end in."""

from collections.abc import Iterable, Mapping
from typing import Any

from entrypoints.http.kit.openapi.operation import Access, Doc
from entrypoints.http.kit.problems import HOME, KINDS, MEDIA_TYPE

_ANSWER_HEADERS = {
    "Location": "where to find it",
    "ETag": "its version; send it back as `If-Match`",
    "Link": '`rel="next"`: the next page',
    "Idempotency-Replayed": "`true`: accepted earlier with this key",
    "Retry-After": "seconds to wait",
    "WWW-Authenticate": "the scheme to use",
}
_PROBLEM_HEADERS = {
    "unauthorized": ("WWW-Authenticate",),
    "in-flight": ("Retry-After",),
    "overloaded": ("Retry-After",),
    "unavailable": ("Retry-After",),
}


def responses(doc: Doc, refs: Mapping[Any, Any]) -> dict[str, Any]:
    """By status."""
    told: dict[str, Any] = {}
    for status, (kind, when) in doc.returns.items():
        media_type = "text/plain" if kind is str else "application/json"
        content = {"content": {media_type: {"schema": refs[kind]}}} if kind is not None else {}
        told[str(status)] = {"description": when, **_described(doc.answer_headers), **content}
    for status, kinds in _by_status(doc).items():
        told.setdefault(str(status), {"$ref": f"#/components/responses/{_name(kinds)}"})
    return dict(sorted(told.items()))


def problem_responses(docs: Iterable[Doc], problem: Any) -> dict[str, Any]:
    """Every combination of problems that share a status somewhere, by name."""
    combinations = {kinds for doc in docs for kinds in _by_status(doc).values()}
    return {_name(kinds): _problem(kinds, problem) for kinds in sorted(combinations)}


def _by_status(doc: Doc) -> dict[int, tuple[str, ...]]:
    kinds = [*doc.problems, "target-too-long", "head-too-large", "internal"]
    if doc.secured:
        kinds += ["unauthorized", "unavailable"]
    if doc.access is Access.LIVE:
        kinds += ["forbidden"]
    if doc.query is not None:
        kinds += ["malformed", "invalid"]
    if doc.body is not None:
        kinds += ["malformed", "timeout", "too-large", "unsupported-media-type", "invalid"]
    order = [kind for kind in KINDS if kind in kinds]
    return {
        status: tuple(kind for kind in order if KINDS[kind].status == status)
        for status in {KINDS[kind].status for kind in order}
    }


def _name(kinds: tuple[str, ...]) -> str:
    return ".".join(kinds)


def _problem(kinds: tuple[str, ...], problem: Any) -> dict[str, Any]:
    headers = dict.fromkeys(name for kind in kinds for name in _PROBLEM_HEADERS.get(kind, ()))
    return {
        "description": " / ".join(f"{KINDS[kind].title}. {KINDS[kind].advice}" for kind in kinds),
        **_described(headers),
        "content": {
            MEDIA_TYPE: {"schema": problem, "examples": {kind: {"value": _example(kind)} for kind in kinds}}
        },
    }


def _example(kind: str) -> dict[str, Any]:
    example = {
        "type": HOME + kind,
        "title": KINDS[kind].title,
        "status": KINDS[kind].status,
        "detail": "what happened here",
        "instance": "/api/notifications",
        "trace_id": "0af7651916cd43dd8448eb211c80319c",
    }
    if kind == "invalid":
        fault = {"pointer": "/data/orderId", "code": "missing_variable", "detail": "the template needs it"}
        example |= {"detail": "1 error", "errors": [fault]}
    return example


def _described(names: Iterable[str]) -> dict[str, Any]:
    headers = {name: {"description": _ANSWER_HEADERS[name], "schema": {"type": "string"}} for name in names}
    return {"headers": headers} if headers else {}
