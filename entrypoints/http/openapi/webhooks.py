"""What is posted to the operators' own address, as the contract tells of it."""

from collections.abc import Mapping
from typing import Any

from application.operations.tell_of_letters import EVENT, AppearedEvent

EVENTS: dict[str, type] = {EVENT: AppearedEvent}
_HEADERS = {
    "webhook-id": "the same when the event is sent again: do it once",
    "webhook-timestamp": "seconds since 1970 UTC; refuse what is older than some minutes",
    "webhook-signature": (
        "`v1,` and base64 of HMAC-SHA256 over `<webhook-id>.<webhook-timestamp>.<body>`; the key is what "
        "stands in base64 behind `whsec_` in `alerts.secret`"
    ),
}


def webhooks(refs: Mapping[Any, Any]) -> dict[str, Any]:
    """By name."""
    return {
        EVENT: {
            "post": {
                "operationId": "dead_letters_appeared",
                "summary": "Dead letters have appeared, or more of them",
                "description": (
                    "Posted to `alerts.url` as Standard Webhooks 1.0 has it: one event for a group, within "
                    "seconds, and again after `alerts.every` if it has grown. Any 2xx within 10 s is a yes; "
                    "else it is sent again, with growing pauses. It may come twice."
                ),
                "parameters": [
                    {
                        "name": name,
                        "in": "header",
                        "required": True,
                        "description": text,
                        "schema": {"type": "string"},
                    }
                    for name, text in _HEADERS.items()
                ],
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": refs[AppearedEvent]}},
                },
                "responses": {"2XX": {"description": "Taken"}},
                "security": [],
            }
        }
    }
