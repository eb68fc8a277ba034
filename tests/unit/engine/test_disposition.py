"""From what became of an event to what becomes of its message."""

import pytest

from application.event.result import Done, RejectedEvent, Result, TryAgainLater
from domain.kernel.errors import InFlight, Misplaced, Overloaded, StoreUnavailable, Undecodable
from entrypoints.engine.consumer.disposition import Ack, Disposition, Park, Wait, disposition
from entrypoints.engine.consumer.telemetry import OTHER, TypeLabels

CRASH = ZeroDivisionError("division of ann@example.com by zero")


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Done(accepted=1), Ack("handled")),
        (Done(), Ack("ignored")),
        (Done(reused=1, accepted=1), Ack("reused")),
        (Done(update_users="outdated"), Ack("outdated")),
        (TryAgainLater(reason="away"), Wait("away")),
        (StoreUnavailable("away"), Wait("away")),
        (Overloaded("full"), Wait("full")),
        (InFlight("busy"), Wait("busy")),
        (RejectedEvent(reason="data of ann", codes=("a", "b")), Park("refused", "data of ann", "a, b")),
        (Misplaced(), Park("misplaced", str(Misplaced()), str(Misplaced()))),
        (Undecodable("no JSON"), Park("undecodable", "no JSON", "no JSON")),
        (CRASH, Park("failed", "unexpected ZeroDivisionError", "unexpected ZeroDivisionError", CRASH)),
    ],
)
def test_every_outcome_has_its_disposition(outcome: Result | Exception, expected: Disposition) -> None:
    assert disposition(outcome) == expected


def test_types_that_publishers_invent_do_not_become_labels_without_end() -> None:
    labels = TypeLabels(most=3)
    assert [labels(name) for name in ("order.created", "a_b-c.d", "x" * 65, "Ann B.", "", "a..b")] == [
        "order.created",
        "a_b-c.d",
        *[OTHER] * 4,
    ]
    assert [labels(name) for name in ("third", "fourth", "order.created")] == [
        "third",
        OTHER,
        "order.created",
    ]
