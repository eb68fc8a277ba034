"""One wide event and one measurement per HTTP request."""

from collections.abc import Callable
from typing import Protocol

from entrypoints.engine.telemetry import Telemetry
from entrypoints.http.services import Seen

SLOW = 1.0
"""Seconds; a request that took longer is worth a line even when it went well."""


class HttpTelemetry(Telemetry, Protocol):
    """Figures of the HTTP entrance beside the common ones."""

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request that was answered."""
        ...

    def routine(self, event: str, **fields: object) -> None:
        """A wide event that is of interest to who looks closely."""
        ...


def observer(telemetry: HttpTelemetry) -> Callable[[Seen], None]:
    """Looks at each request; what nobody expected comes with its traceback."""

    def observe(seen: Seen) -> None:
        telemetry.request(seen.method, seen.route or "none", seen.status, seen.seconds)
        fields = {
            "method": seen.method,
            "route": seen.route,
            "status": seen.status,
            "seconds": round(seen.seconds, 4),
            "trace_id": seen.trace_id,
            "key": seen.key,
        }
        if seen.status >= 500 and seen.error is not None:
            telemetry.trouble("http.request", **fields, exc_info=seen.error)
        elif seen.status >= 400 or seen.seconds >= SLOW:
            telemetry.wide("http.request", **fields)
        else:
            telemetry.routine("http.request", **fields)

    return observe
