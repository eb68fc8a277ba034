"""Every error as RFC 9457 `application/problem+json`: the kinds, and the one function that maps to them."""

from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException

from domain.kernel.errors import (
    FAULTS_MAX,
    Conflict,
    Fault,
    InFlight,
    Invalid,
    KeyReused,
    Misplaced,
    NotFound,
    Overloaded,
    RenderingTimedOut,
    Unavailable,
)

MEDIA_TYPE = "application/problem+json"
_DETAIL_MAX = 1_000
HOME = "/problems/"
"""A problem's type is a path of this service, where what to do about it stands."""


class Kind(msgspec.Struct, frozen=True):
    """One kind of problem."""

    status: int
    title: str
    advice: str


KINDS = {
    "malformed": Kind(400, "The request cannot be read", "Send UTF-8 JSON, well formed."),
    "unauthorized": Kind(
        401,
        "A valid API key is required",
        "Send `Authorization: Bearer ph_live_…` (or `ph_test_…`) with a key that is neither revoked nor "
        "expired. `posthorn key create` makes one.",
    ),
    "forbidden": Kind(
        403,
        "This takes a live key",
        "What it changes governs live messages: ask again with a key `ph_live_…`.",
    ),
    "not-found": Kind(
        404,
        "There is no such thing",
        "Check the path and the id. What belongs to a test key is seen with test keys only.",
    ),
    "method-not-allowed": Kind(405, "The method is not allowed here", "`Allow` lists those that are."),
    "timeout": Kind(408, "The request took too long to arrive", "Send it again."),
    "conflict": Kind(409, "It conflicts with what is there", "Read the resource again, then decide."),
    "in-flight": Kind(
        409,
        "The same idempotency key is being accepted right now",
        "Send the same request again after `Retry-After` seconds: the answer will be the first one's.",
    ),
    "precondition-failed": Kind(
        412, "It changed since you read it", "Read it again, and send `If-Match` with its new `ETag`."
    ),
    "too-large": Kind(413, "The body is too large", "256 KiB at most, 4 MiB for a batch."),
    "target-too-long": Kind(414, "The request's target is too long", "8 KiB at most: ask for less at once."),
    "unsupported-media-type": Kind(
        415,
        "The body is not JSON by its own word",
        "Send `Content-Type: application/json`, and no `Content-Encoding`.",
    ),
    "misdirected": Kind(
        421, "This is not served under that name", "Ask for it by its IP address, or as `localhost`."
    ),
    "invalid": Kind(
        422,
        "The request is not valid",
        "`errors` lists what is wrong, a hundred at most: `pointer` (RFC 6901) leads into the body, "
        "`parameter` names a query parameter, `header` a header.",
    ),
    "idempotency-key-reused": Kind(
        422,
        "The idempotency key belongs to another request",
        "Use a new key for a new request. Keys are kept for 90 days.",
    ),
    "precondition-required": Kind(
        428, "If-Match is required", "Read the resource, and send its `ETag` back as `If-Match`."
    ),
    "head-too-large": Kind(431, "The request's head is too large", "Send fewer or shorter headers."),
    "internal": Kind(500, "Something went wrong here", "Nobody told us how. Report the `trace_id`."),
    "not-implemented": Kind(501, "This part of HTTP is not spoken here", "Send plain HTTP/1.1."),
    "overloaded": Kind(503, "Too much is waiting", "Send it again after `Retry-After` seconds."),
    "unavailable": Kind(
        503,
        "The service cannot do this now",
        "Send it again after `Retry-After` seconds, with the same idempotency key.",
    ),
    "http-version": Kind(505, "This version of HTTP is not spoken here", "Send HTTP/1.1."),
}
_OF_LITESTAR = {400: "malformed", 404: "not-found", 405: "method-not-allowed", 413: "too-large"}


class FaultOut(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing wrong, and where: in the body, the query or a header."""

    pointer: str | None = None
    parameter: str | None = None
    header: str | None = None
    code: str
    detail: str


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """RFC 9457, with the trace to quote and, for invalid requests, every error."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    trace_id: str
    errors: list[FaultOut] = []


class Rejected(Exception):
    """A request refused by the HTTP layer itself; `kind` is one of `KINDS`."""

    def __init__(self, kind: str, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.kind = kind
        self.headers = headers or {}


def to_problem(
    error: Exception,
    *,
    instance: str,
    trace_id: str,
    conditional: bool = False,
    faults_max: int = FAULTS_MAX,
) -> tuple[Problem, dict[str, str]]:
    """The problem an error is told as, and its headers.

    Args:
        conditional: the caller quoted an ETag: a conflict is then a failed precondition.
        faults_max: so many of its faults are listed.
    """
    kind, detail, headers = _described(error, conditional)
    faults = [_fault_out(fault) for fault in error.faults[:faults_max]] if isinstance(error, Invalid) else []
    if isinstance(error, Invalid) and len(faults) < len(error.faults):
        detail += f": the first {len(faults)} {'are' if len(faults) > 1 else 'is'} listed"
    shape = KINDS[kind]
    problem = Problem(
        type=HOME + kind,
        title=shape.title,
        status=shape.status,
        detail=detail,
        instance=instance,
        trace_id=trace_id,
        errors=faults,
    )
    return problem, headers


def _described(error: Exception, conditional: bool) -> tuple[str, str, dict[str, str]]:
    match error:
        case Rejected(kind=kind, headers=headers):
            return kind, str(error), headers
        case Misplaced():  # ids are ours, and so is the fault
            return "unavailable", str(error), {"Retry-After": "60"}
        case Invalid(faults=faults):
            if len(faults) > FAULTS_MAX:
                return "invalid", f"more than {FAULTS_MAX} errors", {}
            return "invalid", f"{len(faults)} error{'s' * (len(faults) != 1)}", {}
        case NotFound():
            return "not-found", str(error), {}
        case Conflict():
            return ("precondition-failed" if conditional else "conflict"), str(error), {}
        case KeyReused():
            return "idempotency-key-reused", str(error), {}
        case InFlight():
            return "in-flight", str(error) or "ask again shortly", {"Retry-After": "1"}
        case Overloaded() | RenderingTimedOut():
            return "overloaded", str(error), {"Retry-After": "1"}
        case Unavailable():
            return "unavailable", "a part this service stands on is away", {"Retry-After": "5"}
        case HTTPException(status_code=status) if status in _OF_LITESTAR:
            kind = _OF_LITESTAR[status]
            return kind, error.detail or HTTPStatus(status).phrase, dict(error.headers or {})
        case _:
            return "internal", "an unexpected error; the log knows more", {}


def _fault_out(fault: Fault) -> FaultOut:
    where, name = fault.pointer[:1], fault.pointer[1:]
    detail = fault.detail.encode(errors="replace").decode()  # half a surrogate pair may be quoted
    if len(detail) > _DETAIL_MAX:
        detail = f"{detail[:_DETAIL_MAX]}…"
    match where:
        case "?":
            return FaultOut(parameter=name[:_DETAIL_MAX], code=fault.code, detail=detail)
        case ":":
            return FaultOut(header=name, code=fault.code, detail=detail)
        case _:
            return FaultOut(pointer=fault.pointer, code=fault.code, detail=detail)


def answer_error(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Litestar's handler for every exception."""
    context = request.scope["state"]["context"]
    headers = dict(request.scope["headers"])
    problem, extra = to_problem(
        error,
        instance=request.scope["path"],
        trace_id=context.trace_id,
        conditional=b"if-match" in headers or b"if-none-match" in headers,
    )
    context.error = error
    return Response(
        msgspec.json.encode(problem), status_code=problem.status, media_type=MEDIA_TYPE, headers=extra
    )
