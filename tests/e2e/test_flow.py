"""Flow 1, the order confirmation, by event and by request: to the SMTP server and back into the status."""

import asyncio
from email.message import EmailMessage
from typing import Any
from uuid import UUID

import pytest

from tests.e2e.conftest import Postal
from tests.support.eventually import eventually
from tests.support.sandbox import tail
from tests.support.shop import Shop

pytestmark = pytest.mark.asyncio(loop_scope="session")

ITEMS = [{"name": "Desk lamp", "quantity": 1, "price": 99.99}]


async def test_by_event(postal: Postal) -> None:
    shop, box = postal.shop, postal.mailbox
    async with shop.events() as publish:
        user = {"userId": "456", "email": "ada@customers.example", "name": "Ada Lovelace"}
        await publish("user.created", user, message_id="u-1")
        order = {"orderId": "123", "userId": "456", "total": 99.99, "items": ITEMS}
        await publish("orders", order, type="OrderCreated", message_id="o-1")
    notification = await eventually(lambda: _of_order(shop, "123"))
    mail = await _mail_of(shop, box.mails, UUID(notification["id"]))
    assert mail["To"] == "Ada Lovelace <ada@customers.example>"
    assert mail["From"] == "The Shop <orders@shop.example>"
    assert mail["Subject"] == "Your order 123 is confirmed"
    text = mail.get_body(("plain",))
    assert text
    assert "99.99" in text.get_content()
    assert "Desk lamp" in text.get_content()
    assert (notification["notificationType"], notification["channelType"], notification["priority"]) == (
        ("order_confirmation", "email", "high")
    )


async def test_by_request(postal: Postal) -> None:
    shop, box = postal.shop, postal.mailbox
    known = {"email": "grace@customers.example", "name": "Grace"}
    put = await shop.call("PUT", "/api/users/457", known, headers={"If-None-Match": "*"})
    assert put.status == 201, put
    request = {
        "notificationType": "order_confirmation",
        "channelType": "email",
        "priority": "high",
        "templateId": "order_confirmation_email",
        "recipientId": "457",
        "data": {"orderId": "124", "total": 99.99, "items": ITEMS},
    }
    answer = await shop.call("POST", "/api/notifications", request, idempotency="order-124")
    assert answer.headers["Location"] == f"/api/notifications/{answer.id}"
    mail = await _mail_of(shop, box.mails, answer.id)
    assert mail["To"] == "Grace <grace@customers.example>"
    assert mail["Subject"] == "Your order 124 is confirmed"


async def test_a_test_key_reaches_the_sandbox_alone(postal: Postal) -> None:
    shop, box = postal.shop, postal.mailbox
    request = {
        "notificationType": "greeting",
        "channelType": "email",
        "recipients": [{"email": "tester@customers.example"}],
        "subject": "Hello",
        "body": "World",
    }
    answer = await shop.call("POST", "/api/notifications", request, key=shop.test_key)
    delivery = await eventually(lambda: _sent(shop, answer.id, key=shop.test_key))
    assert delivery["provider"] == "sandbox"
    assert [line.outcome for line in shop.calls() if str(line.delivery) == delivery["id"]] == ["accepted"]
    assert "tester@customers.example" not in box.recipients
    hidden = await shop.call("GET", f"/api/notifications/{answer.id}")
    assert hidden.status == 404, "a live key does not see test notifications"


async def test_sigterm_drains(postal: Postal) -> None:
    """Last of all: a call in flight is finished and settled, then everybody leaves."""
    shop = postal.shop
    open_ = "SELECT count(*) FROM delivery_attempts WHERE outcome = 'open'"
    postal.mailbox.hung_up.set()  # other tests' calls would be waited for too, for minutes
    await eventually(lambda: _none(shop, open_))
    request = {
        "notificationType": "greeting",
        "channelType": "email",
        "recipients": [{"email": f"slow-800+{n}@customers.example"} for n in range(20)],
        "subject": "Hello",
        "body": "World",
    }
    answer = await shop.call("POST", "/api/notifications", request, key=shop.test_key)
    await eventually(lambda: shop.value(open_))
    codes = await asyncio.gather(*(role.terminate() for role in (postal.worker, postal.events, postal.api)))
    assert codes == [0, 0, 0], tail(postal.worker.log)
    assert not await shop.value(open_)
    ends = await shop.fetch(
        "SELECT id, status FROM notification_deliveries WHERE notification_id = $1", answer.id
    )
    called = {line.delivery for line in shop.calls()}
    assert {end["status"] for end in ends} <= {"sent", "queued"}
    sent = {end["id"] for end in ends if end["status"] == "sent"}
    assert sent == {end["id"] for end in ends} & called
    assert sent, "a call was in flight"
    for role in (postal.worker, postal.events, postal.api):
        assert (role.log_lines()[-1]["event"], role.log_lines()[-1]["drained"]) == ("process.stopped", True)


async def _none(shop: Shop, count: str) -> bool:
    return not await shop.value(count)


async def _of_order(shop: Shop, order: str) -> Any:
    answer = await shop.call("GET", f"/api/notifications?metadata.orderId={order}")
    assert answer.body["items"], f"no notification of order {order}"
    return answer.body["items"][0]


async def _mail_of(shop: Shop, mails: list[EmailMessage], id_: UUID) -> EmailMessage:
    """The one mail of a notification, after its status, deliveries and history have told the whole way."""
    shown = await shop.status(id_, "completed")
    assert (shown["counts"]["sent"], shown["counts"]["open"]) == (1, 0)
    delivery = await _sent(shop, id_)
    [mail] = [mail for mail in mails if mail["X-Posthorn-Delivery"] == delivery["id"]]
    assert mail["Message-ID"] == f"<{delivery['id']}@shop.example>"
    assert delivery["providerMessageId"] == f"{delivery['id']}@shop.example"
    assert delivery["provider"] == "mailer"
    assert [attempt["outcome"] for attempt in delivery["attempts"]] == ["accepted"]
    assert [step["status"] for step in await shop.listed(id_, "history")] == ["queued", "sending", "sent"]
    return mail


async def _sent(shop: Shop, id_: UUID, *, key: str | None = None) -> Any:
    [delivery] = await shop.listed(id_, "deliveries", key=key)
    assert delivery["status"] == "sent", delivery
    return delivery
