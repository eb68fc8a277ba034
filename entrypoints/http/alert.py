"""What is posted to the operators' own address, as the contract tells of it."""

from collections.abc import Callable

from application.alert.dead_letters import EVENT, AppearedEvent
from application.alert.providers import PAUSED, RESUMED, ProviderEvent
from domain.kernel.json_values import Json

EVENTS: dict[str, type] = {EVENT: AppearedEvent, PAUSED: ProviderEvent, RESUMED: ProviderEvent}
_HEADERS = {
    "webhook-id": "the same when the event is sent again: do it once",
    "webhook-timestamp": "seconds since 1970 UTC; refuse what is older than some minutes",
    "webhook-signature": (
        "`v1,` and base64 of HMAC-SHA256 over `<webhook-id>.<webhook-timestamp>.<body>`; the key is what "
        "stands in base64 behind `whsec_` in `alerts.secret`"
    ),
}
_TEXTS = {
    EVENT: (
        "dead_letters_appeared",
        "Dead letters have appeared, or more of them",
        "One event for a group, within seconds, and again after `alerts.every` if it has grown.",
    ),
    PAUSED: (
        "provider_paused",
        "A provider refuses our account or configuration",
        "One event for each process that sends by it. Its messages wait, and it is probed; `/readyz` and the "
        "log of that process have its words.",
    ),
    RESUMED: ("provider_resumed", "It takes messages again", "After `provider.paused`."),
}
_DELIVERY = (
    "Posted to `alerts.url` as Standard Webhooks 1.0 has it. Any 2xx within 10 s is a yes; else it is sent "
    "again, with growing pauses. It may come twice."
)


def webhooks(reference: Callable[[object], dict[str, object]]) -> dict[str, Json]:
    """By name; `reference` tells where the schema of a type stands."""
    return {
        event: {
            "post": {
                "operationId": operation,
                "summary": summary,
                "description": f"{text} {_DELIVERY}",
                "parameters": [
                    {
                        "name": name,
                        "in": "header",
                        "required": True,
                        "description": about,
                        "schema": {"type": "string"},
                    }
                    for name, about in _HEADERS.items()
                ],
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": reference(EVENTS[event])}},
                },
                "responses": {"2XX": {"description": "Taken"}},
                "security": [],
            }
        }
        for event, (operation, summary, text) in _TEXTS.items()
    }
