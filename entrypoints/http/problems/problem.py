"""Every error as RFC 9457 `application/problem+json`, and the one function that maps to it."""

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
from entrypoints.http.problems.kinds import HOME, KINDS

MEDIA_TYPE = "application/problem+json"
_DETAIL_MAX = 1_000
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


def answer_error(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:  # of any route
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
