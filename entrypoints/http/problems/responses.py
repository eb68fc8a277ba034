"""The problems that operations can end in, as answers of the document."""

from collections.abc import Collection, Iterable, Mapping

from domain.kernel.json_values import Json
from entrypoints.http.problems.kinds import HOME, KINDS
from entrypoints.http.problems.problem import MEDIA_TYPE

_AT = "#/components/responses/"
_HEADERS = {"Retry-After": "seconds to wait", "WWW-Authenticate": "the scheme to use"}
_PROBLEM_HEADERS = {
    "unauthorized": ("WWW-Authenticate",),
    "in-flight": ("Retry-After",),
    "overloaded": ("Retry-After",),
    "unavailable": ("Retry-After",),
}


def problem_references(kinds: Collection[str]) -> dict[str, Json]:
    """The problems of an operation, as references by status."""
    by_status: dict[int, list[str]] = {}
    for name, kind in KINDS.items():
        if name in kinds:
            by_status.setdefault(kind.status, []).append(name)
    return {str(status): {"$ref": _AT + ".".join(names)} for status, names in by_status.items()}


def problem_responses(operations: Iterable[Mapping[str, Json]], problem: Json) -> dict[str, Json]:
    """What the references of all operations' `responses` lead to."""
    named = {answer["$ref"] for responses in operations for answer in responses.values() if "$ref" in answer}
    names = sorted(reference.removeprefix(_AT) for reference in named)
    return {name: _problem(tuple(name.split(".")), problem) for name in names}


def _problem(kinds: tuple[str, ...], problem: Json) -> dict[str, Json]:
    headers = dict.fromkeys(name for kind in kinds for name in _PROBLEM_HEADERS.get(kind, ()))
    return {
        "description": " / ".join(f"{KINDS[kind].title}. {KINDS[kind].advice}" for kind in kinds),
        **_described(headers),
        "content": {
            MEDIA_TYPE: {"schema": problem, "examples": {kind: {"value": _example(kind)} for kind in kinds}}
        },
    }


def _example(kind: str) -> dict[str, Json]:
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


def _described(names: Iterable[str]) -> dict[str, Json]:
    headers = {name: {"description": _HEADERS[name], "schema": {"type": "string"}} for name in names}
    return {"headers": headers} if headers else {}
