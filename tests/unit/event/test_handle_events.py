"""Events into the mirror and into notifications: one result each, whatever happens to the neighbours."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from adapters.system import SystemClock
from application.device.update import UpdatedDevice
from application.event.handle import HandleEvents
from application.event.result import Done, RejectedEvent, Result, TryAgainLater
from application.event.trigger_index import TriggerIndex
from application.kernel.versioned import Versioned
from domain.device.update import DeviceUpdate
from domain.kernel.errors import (
    Fault,
    InFlight,
    Invalid,
    KeyReused,
    Misconfigured,
    Overloaded,
    PosthornError,
    StoreUnavailable,
)
from domain.notification.request import Recipient, Request
from domain.trigger.trigger import ShopEvent, To, Trigger
from domain.user.event import read
from domain.user.update import UpdatedUser, UpdateOutcome, UserUpdate
from tests.support.memory.catalog import MemoryTriggers
from tests.support.memory.rows import MemoryRows


class Stands(msgspec.Struct):
    """What an accepted request is answered with."""

    id: UUID
    replayed: bool
    kept_out: tuple[Fault, ...] = ()


WRITTEN = UpdatedDevice(id=b"", outcome=UpdateOutcome.WRITTEN)


@dataclass(frozen=True, kw_only=True)
class TriggersAtTimesAway(MemoryTriggers):
    """Triggers that cannot be read while `away` names them."""

    away: set[str]

    async def page(self, after: str, limit: int) -> list[Versioned[Trigger]]:
        if "triggers" in self.away:
            raise StoreUnavailable("the database is away")
        return await super().page(after, limit)


@dataclass
class Shop:
    """The use case, with a scripted acceptance and mirror: `answers` by idempotency key."""

    handle: HandleEvents = field(init=False)
    answers: dict[str, PosthornError] = field(default_factory=dict)
    update_answers: dict[str, UpdatedUser] = field(default_factory=dict)
    away: set[str] = field(default_factory=set)
    batches: list[list[Request]] = field(default_factory=list)
    updates: list[list[UserUpdate]] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    accepted: set[str] = field(default_factory=set)
    devices: list[DeviceUpdate] = field(default_factory=list)
    device_answer: UpdatedDevice = WRITTEN
    triggers: MemoryTriggers = field(init=False)

    def __post_init__(self) -> None:
        self.triggers = TriggersAtTimesAway(rows=MemoryRows(SystemClock()), away=self.away)
        index = TriggerIndex(triggers=self.triggers, clock=SystemClock())
        self.handle = HandleEvents(
            triggers=index,
            update_users=self.update_users,
            update_devices=self.update_devices,
            submit=self.submit,
        )

    async def submit(self, requests: Sequence[Request], /) -> list[Stands | PosthornError]:
        self.order.append("submit")
        self.batches.append(list(requests))
        return [self._answer(str(request.idempotency_key)) for request in requests]

    def _answer(self, key: str) -> Stands | PosthornError:
        if key in self.answers:
            return self.answers[key]
        replayed = key in self.accepted
        self.accepted.add(key)
        return Stands(uuid4(), replayed)

    async def update_users(
        self, updates: Sequence[UserUpdate], /, *, drop_invalid: bool
    ) -> list[UpdatedUser]:
        assert drop_invalid
        if "mirror" in self.away:
            raise StoreUnavailable("the database is away")
        self.order.append("mirror")
        self.updates.append(list(updates))
        written = UpdatedUser(user=UUID(int=1), outcome=UpdateOutcome.WRITTEN)
        return [self.update_answers.get(update.user_id, written) for update in updates]

    async def update_devices(
        self, updates: Sequence[DeviceUpdate], /, *, from_event: bool
    ) -> list[UpdatedDevice]:
        assert from_event
        self.order.append("devices")
        self.devices += updates
        return [self.device_answer for _ in updates]


def trigger(id_: str = "confirm", **changes: Any) -> Trigger:
    known = {"event": "order.created", "type": "order_confirmation", "template": "t", "key": "{data.orderId}"}
    return Trigger(id=id_, **(known | changes))


def order(number: int | str = 1, **changes: Any) -> ShopEvent:
    data = {"orderId": str(number), "userId": "456"}
    return ShopEvent(
        **({"id": f"e-{number}", "source": "/shop", "type": "order.created", "data": data} | changes)
    )


def user(kind: str, **data: Any) -> ShopEvent:
    return ShopEvent(id="u-1", source="/shop", type=f"user.{kind}", data={"userId": "456"} | data)


@pytest.fixture
async def shop() -> Shop:
    shop = Shop()
    await shop.triggers.put(trigger(), expected=0)
    return shop


async def test_an_event_with_a_trigger_becomes_a_notification(shop: Shop) -> None:
    assert await shop.handle([order(1)]) == [Done(accepted=1)]
    [[request]] = shop.batches
    assert (request.type, request.template, request.idempotency_key) == (
        "order_confirmation",
        "t",
        "trigger:confirm:1",
    )


async def test_an_event_without_a_trigger_is_ignored_and_submits_nothing(shop: Shop) -> None:
    [result] = await shop.handle([order(1, type="order.viewed")])
    assert result == Done()
    assert result.label == "ignored"
    assert shop.batches == []


async def test_a_batch_is_submitted_at_once(shop: Shop) -> None:
    results = await shop.handle([order(n) for n in range(50)])
    assert results == [Done(accepted=1)] * 50
    assert [len(batch) for batch in shop.batches] == [50]


async def test_each_trigger_of_a_type_makes_its_own_notification(shop: Shop) -> None:
    await shop.triggers.put(trigger("text", type="order_sms"), expected=0)
    assert await shop.handle([order(1)]) == [Done(accepted=2)]


async def test_shipments_of_one_order_are_told_each_by_itself(shop: Shop) -> None:
    key = "{data.orderId}:{data.shipmentId}"
    await shop.triggers.put(trigger("shipped", event="order.shipped", key=key), expected=0)

    def shipped(id_: str, shipment: str) -> ShopEvent:
        data = {"orderId": "1", "shipmentId": shipment, "userId": "456"}
        return ShopEvent(id=id_, source="/shop", type="order.shipped", data=data)

    results = await shop.handle([shipped("a", "1"), shipped("b", "2"), shipped("c", "1")])
    assert results == [Done(accepted=1), Done(accepted=1), Done(absorbed=1)]


async def test_the_same_event_again_is_absorbed(shop: Shop) -> None:
    await shop.handle([order(1)])
    [result] = await shop.handle([order(1)])
    assert result == Done(absorbed=1)
    assert result.label == "absorbed"


async def test_another_command_under_the_same_key_is_absorbed_and_counted(shop: Shop) -> None:
    shop.answers["trigger:confirm:1"] = KeyReused("the key belongs to another notification")
    [result] = await shop.handle([order(1)])
    assert result == Done(reused=1)
    assert result.label == "reused"


@pytest.mark.parametrize("away", [StoreUnavailable("no database"), Overloaded("full"), InFlight("busy")])
async def test_what_may_succeed_later_is_for_later_alone(shop: Shop, away: PosthornError) -> None:
    shop.answers["trigger:confirm:2"] = away
    results = await shop.handle([order(1), order(2), order(3)])
    assert results == [Done(accepted=1), TryAgainLater(reason=str(away)), Done(accepted=1)]


async def test_what_can_never_succeed_is_refused_alone_with_its_reason(shop: Shop) -> None:
    shop.answers["trigger:confirm:2"] = Invalid(Fault("/data/total", "missing_variable", "needs 'total'"))
    shop.answers["trigger:confirm:4"] = Misconfigured("no such channel")
    events = [order(1), order(2), order(3, data={"orderId": "3"}), order(4)]
    ok, no_total, nobody, odd = await shop.handle(events)
    assert ok == Done(accepted=1)
    assert isinstance(no_total, RejectedEvent)
    assert no_total.reason == "trigger confirm: /data/total: needs 'total'"
    assert no_total.codes == ("trigger confirm /data/total missing_variable",)
    assert isinstance(nobody, RejectedEvent)
    assert "data.userId" in nobody.reason
    assert isinstance(odd, RejectedEvent)
    assert odd.reason == "trigger confirm: no such channel"


async def test_one_trigger_that_must_wait_keeps_the_event_though_another_refuses(shop: Shop) -> None:
    await shop.triggers.put(trigger("second"), expected=0)
    shop.answers["trigger:confirm:1"] = Invalid(Fault("", "bad", "bad"))
    shop.answers["trigger:second:1"] = StoreUnavailable("away")
    assert await shop.handle([order(1)]) == [TryAgainLater(reason="away")]
    del shop.answers["trigger:second:1"]
    [result] = await shop.handle([order(1)])
    assert isinstance(result, RejectedEvent)
    assert "trigger:second:1" in shop.accepted


async def test_customers_are_mirrored_before_anything_is_submitted(shop: Shop) -> None:
    results = await shop.handle([order(1), user("created", email="ann@example.com", phone=None)])
    assert results == [Done(accepted=1), Done(update_users="written")]
    assert results[1].label == "written"
    assert shop.order == ["mirror", "submit"]
    assert shop.updates == [[UserUpdate(user_id="456", email="ann@example.com", phone=None)]]


async def test_a_customer_event_may_have_triggers_too(shop: Shop) -> None:
    await shop.triggers.put(trigger("welcome", event="user.created", key="{id}"), expected=0)
    [result] = await shop.handle([user("created")])
    assert result == Done(accepted=1, update_users="written")
    assert result.label == "handled"


async def test_a_deletion_speaks_of_nothing_but_the_customer(shop: Shop) -> None:
    await shop.handle([user("deleted", email="ann@example.com")])
    assert shop.updates == [[UserUpdate(user_id="456", deleted=True)]]


async def test_a_deletion_needs_no_time(shop: Shop) -> None:
    """Nobody is kept because the event that erases them was told badly."""
    for time in ("yesterday", "", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00"):
        event = msgspec.structs.replace(user("deleted"), time=time)
        assert await shop.handle([event]) == [Done(update_users="written")]
        assert shop.updates.pop() == [UserUpdate(user_id="456", deleted=True)]


async def test_values_that_were_kept_out_are_reported(shop: Shop) -> None:
    fault = Fault("/email", "bad_email", "not an address")
    shop.update_answers["456"] = UpdatedUser(user=UUID(int=1), outcome=UpdateOutcome.WRITTEN, faults=(fault,))
    assert await shop.handle([user("updated", email="x")]) == [
        Done(update_users="written", kept_out=(fault,))
    ]


async def test_a_customer_whose_profile_cannot_be_opened_is_refused(shop: Shop) -> None:
    shop.update_answers["456"] = UpdatedUser(user=UUID(int=1), outcome=UpdateOutcome.UNREADABLE)
    [result] = await shop.handle([user("updated", name="Ann")])
    assert isinstance(result, RejectedEvent)


async def test_a_customer_whose_key_is_not_here_waits_alone(shop: Shop) -> None:
    shop.update_answers["456"] = UpdatedUser(user=UUID(int=1), outcome=UpdateOutcome.LOCKED)
    waits, other = await shop.handle([user("updated", name="Ann"), user("updated", userId="457")])
    assert isinstance(waits, TryAgainLater)
    assert other == Done(update_users="written")


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (user("created", userId=None), "no_user"),
        (user("created", userId=""), "no_user"),
        (user("created", userId=" "), "no_user"),
        (user("created", userId="", id="\u00a0"), "no_user"),
        (user("created", userId=True), "no_user"),
        (msgspec.structs.replace(user("created"), time="yesterday"), "bad_time"),
        (msgspec.structs.replace(user("created"), data=[1]), "no_user"),
    ],
)
async def test_a_customer_event_that_makes_no_sense_is_refused_alone(
    shop: Shop, event: ShopEvent, code: str
) -> None:
    refused, fine = await shop.handle([event, user("created")])
    assert isinstance(refused, RejectedEvent)
    assert refused.codes[0].endswith(code)
    assert fine == Done(update_users="written")


@pytest.mark.parametrize("away", ["mirror", "triggers"])
async def test_without_the_database_every_event_is_for_later(shop: Shop, away: str) -> None:
    shop.away.add(away)
    later: list[Result] = [TryAgainLater(reason="the database is away")] * 2
    assert await shop.handle([order(1), user("created")]) == later


@pytest.mark.parametrize("value", ["x" * 256, True, 1.5, {"first": "Ann"}, ["Ann"]])
async def test_a_value_that_is_no_text_is_cleared_and_reported(shop: Shop, value: Any) -> None:
    [result] = await shop.handle([user("updated", name=value, email="ann@example.com")])
    assert isinstance(result, Done)
    assert [(fault.pointer, fault.code) for fault in result.kept_out] == [("/data/name", "bad_value")]
    assert shop.updates == [[UserUpdate(user_id="456", name=None, email="ann@example.com")]]


@pytest.mark.parametrize("blank", ["", " ", "\n", "\u00a0"])
async def test_a_blank_value_of_an_event_is_absent(shop: Shop, blank: str) -> None:
    to = To(user_id="data.userId", email="data.email", name="data.name")
    await shop.triggers.put(trigger("guest", event="cart.abandoned", to=to), expected=0)

    def cart(**data: str) -> ShopEvent:
        return order(1, type="cart.abandoned", data={"orderId": "1"} | data)

    known = cart(userId="456", email=blank, name=blank)
    guest = cart(userId=blank, email="ann@example.com")
    assert await shop.handle([known, guest]) == [Done(accepted=1), Done(absorbed=1)]
    assert [request.recipients for request in shop.batches[0]] == [
        (Recipient(user_id="456"),),
        (Recipient(email="ann@example.com"),),
    ]
    nobody, keyless = await shop.handle(
        [cart(userId=blank, email=blank), order(1, data={"userId": "456", "orderId": blank})]
    )
    assert isinstance(nobody, RejectedEvent)
    assert "nothing at data.userId, data.email" in nobody.reason
    assert isinstance(keyless, RejectedEvent)
    assert keyless.codes == ("trigger confirm /data no_key",)


def test_names_are_read_in_either_way() -> None:
    assert read(user("created", firstName="Ann", lastName="Bee"), []).name == "Ann Bee"
    assert read(user("created", name="Ann", firstName="no"), []).name == "Ann"
    assert read(user("created", name=None), []).name is None
    assert read(user("created", phone=4930901820), []).phone == "4930901820"
    assert read(ShopEvent(id="1", source="s", type="user.created", data={"id": 7}), []).user_id == "7"
    assert read(user("created", userId="", id="7"), []).user_id == "7"
    assert read(user("created", userId=None, id=7), []).user_id == "7"


@pytest.mark.parametrize(
    "spelled",
    [
        "2026-06-30T23:59:59Z", "2026-06-30T23:59:60Z", "2026-06-30t23:59:59z", " 2026-06-30T23:59:59Z\n",
        "2026-07-01T01:59:60+02:00", "2026-06-30 23:59:60Z", "2026-06-30T23:59:59.000000000Z",
    ],
)  # fmt: skip
def test_every_spelling_of_rfc_3339_is_a_time(spelled: str) -> None:
    event = msgspec.structs.replace(user("updated"), time=spelled)
    assert read(event, []).source_time == datetime(2026, 6, 30, 23, 59, 59, tzinfo=UTC)


def device(kind: str = "added", **data: Any) -> ShopEvent:
    known = {"userId": "456", "token": "abc:def", "platform": "android", **data}
    return ShopEvent(id=f"d-{data}", source="/shop", type=f"user.device_{kind}", data=known)


async def test_devices_are_written_after_their_users_and_before_notifications() -> None:
    shop = Shop()
    await shop.triggers.put(trigger(), expected=0)

    results = await shop.handle([device(), user("created"), order(), device("removed", token="gone")])

    assert shop.order == ["mirror", "devices", "submit"]
    assert [(each.token, each.facts is None) for each in shop.devices] == [("abc:def", False), ("gone", True)]
    assert results[0] == results[3] == Done(update_users="written")


@pytest.mark.parametrize(
    ("data", "pointer"),
    [
        ({"platform": "tv"}, "/data/platform"),
        ({"platform": None}, "/data/platform"),
        ({"token": ""}, "/data/token"),
        ({"userId": " "}, "/data/userId"),
        ({"keys": {"auth": 1}}, "/data/keys"),
    ],
)
async def test_a_device_that_cannot_be_read_is_refused_alone(data: dict[str, Any], pointer: str) -> None:
    shop = Shop()
    refused, fine = await shop.handle([device(**data), device()])

    assert isinstance(refused, RejectedEvent)
    assert refused.codes[0].startswith(f"device {pointer}")
    assert fine == Done(update_users="written")
    assert len(shop.devices) == 1


async def test_what_is_wrong_with_a_device_is_said_of_its_event() -> None:
    shop = Shop()
    fault = Fault("/token", "bad_token", "x")
    shop.device_answer = UpdatedDevice(id=b"", outcome=UpdateOutcome.INVALID, faults=(fault,))
    [result] = await shop.handle([device()])
    assert isinstance(result, RejectedEvent)
    assert result.codes == ("device /data/token bad_token",)

    shop.device_answer = UpdatedDevice(id=b"", outcome=UpdateOutcome.LOCKED)
    assert isinstance((await shop.handle([device()]))[0], TryAgainLater)
