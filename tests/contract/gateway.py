"""What a `Gateway` must do."""

import asyncio
from typing import Any

import pytest

from adapters.system import SystemIds
from application.provider.ports import Gateway, OutboundMessage
from domain.provider.outcome import Accepted, Deferred, Refused, Unknown

IDS = SystemIds()


def message(address: str = "ada@shop.test", **changes: Any) -> OutboundMessage:
    """Something to send; the local part of the address tells the other side what to do."""
    known = {
        "delivery": IDS.next(),
        "attempt": 1,
        "channel": "email",
        "type": "order.created",
        "address": address,
        "name": "Ada Lovelace",
        "subject": "Your order",
        "body": "Thank you.",
    }
    return OutboundMessage(**(known | changes))


class AcceptingContract:
    """Subclasses have a fixture `gateway`.  `kind` is the kind of provider; None: of none that is shipped."""

    kind: str | None = None

    async def test_what_the_other_side_takes_is_accepted_under_a_reference(self, gateway: Gateway) -> None:
        first, second = await gateway.send(message()), await gateway.send(message())
        assert isinstance(first, Accepted)
        assert isinstance(second, Accepted)
        assert first.reference
        assert first.reference != second.reference

    async def test_many_calls_at_a_time(self, gateway: Gateway) -> None:
        outcomes = await asyncio.gather(*(gateway.send(message()) for _ in range(50)))
        assert {type(outcome) for outcome in outcomes} == {Accepted}
        assert len({outcome.reference for outcome in outcomes}) == 50

    @pytest.mark.parametrize(
        "changes",
        [
            {"name": None},
            {"subject": None},
            {"body": None},
            {"body": None, "html_body": "<p>Thank you.</p>"},
            {"html_body": "<p>Thank you.</p>"},
            {"subject": "Ünïcödé 🎉 " * 30, "body": "Grüße, 谢谢 🎉\n" * 100},
            {"name": 'Ada "The Countess" <Lovelace>, Ltd.'},
            {"body": "x" * 200_000},
            {"body": ".\n..\n.hidden\n"},
            {"attempt": 7},
        ],
    )
    async def test_every_shape_of_message_is_carried(self, gateway: Gateway, changes: dict[str, Any]) -> None:
        assert isinstance(await gateway.send(message(**changes)), Accepted)


class GatewayContract(AcceptingContract):
    """Subclasses' `gateway` has another side, which does as addresses say (refuse@, defer@, silent@); a call
    takes at most a second.
    """

    async def test_a_refusal_is_for_good(self, gateway: Gateway) -> None:
        assert isinstance(await gateway.send(message("refuse@shop.test")), Refused)

    async def test_a_deferral_is_definite(self, gateway: Gateway) -> None:
        assert isinstance(await gateway.send(message("defer@shop.test")), Deferred)

    async def test_silence_after_the_request_is_unknown_and_does_not_last(self, gateway: Gateway) -> None:
        async with asyncio.timeout(5):
            assert isinstance(await gateway.send(message("silent@shop.test")), Unknown)

    @pytest.mark.parametrize("word", ["refuse", "defer", "silent"])
    async def test_a_reason_tells_no_address(self, gateway: Gateway, word: str) -> None:
        outcome = await gateway.send(message(f"{word}+ada.lovelace@shop.test"))
        assert isinstance(outcome, Refused | Deferred | Unknown)
        assert outcome.reason
        assert "lovelace" not in outcome.reason
        assert "shop.test" not in outcome.reason

    async def test_trouble_with_one_message_does_not_touch_the_next(self, gateway: Gateway) -> None:
        for address in ("refuse@shop.test", "defer@shop.test", "silent@shop.test"):
            await gateway.send(message(address))
            assert isinstance(await gateway.send(message()), Accepted)

    async def test_a_cancelled_call_ends_at_once_and_leaves_the_gateway_usable(
        self, gateway: Gateway
    ) -> None:
        call = asyncio.create_task(gateway.send(message("silent@shop.test")))
        await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert isinstance(await gateway.send(message()), Accepted)
