"""Personal data stays sealed: canaries go in at every entrance, and none is found where one could read."""

import asyncio
import base64
from collections import defaultdict
from uuid import uuid4

import pytest

from adapters.rabbitmq.publisher import RabbitPublisher
from application.broker.ports import Outgoing
from tests.e2e.conftest import Postal
from tests.support import canary
from tests.support.accepting import IDS
from tests.support.canary import everywhere, leaks, messages
from tests.support.eventually import eventually
from tests.support.postgres import PostgresServer
from tests.support.shop import SECRET, Shop
from tests.support.topology import links

pytestmark = pytest.mark.asyncio(loop_scope="session")

RUN = f"canary{uuid4().hex[:8]}"
KINDS = ("email", "name", "data", "subject", "body", "html", "key", "userid", "label", "member")
CANARIES = [f"{RUN}{kind}" for kind in KINDS]
PHONE = "4917655512377"
EMAIL, NAME, DATA, SUBJECT, BODY, HTML, KEY, USER, _, MEMBER = CANARIES

GUEST = {"email": f"{EMAIL}@customers.example", "phone": f"+{PHONE}", "name": NAME}
ORDER = {"orderId": "9", "total": 1, "items": [{"name": DATA, "quantity": 1, "price": 1}]}
INLINE = {"subject": SUBJECT, "body": BODY, "htmlBody": f"<p>{HTML}</p>"}


def _request(*recipients: object, **changes: object) -> dict[str, object]:
    return {"notificationType": "canary", "channelType": "email", "recipients": recipients} | changes


def _templated(*recipients: object, **changes: object) -> dict[str, object]:
    return _request(*recipients, **{"templateId": "order_confirmation_email", "data": ORDER} | changes)


async def _send_all(shop: Shop) -> None:
    """Every entrance, and every end that a message can come to."""
    everyone = [
        GUEST,
        *({"email": f"{how}-{EMAIL}@customers.example"} for how in ("refuse", "defer", "silent")),
    ]
    user = {key: value for key, value in GUEST.items() if key != "phone"}
    answers = await asyncio.gather(
        shop.call("POST", "/api/notifications", _request(*everyone, **INLINE), idempotency=KEY),
        shop.call("POST", "/api/notifications", _templated(*everyone)),
        shop.call("POST", "/api/notifications", _templated(GUEST), key=shop.test_key),
        shop.call("POST", "/api/notifications", _templated(GUEST, data=ORDER | {"items": [{MEMBER: 1}]})),
        shop.call("POST", "/api/notifications", _templated(GUEST, data=ORDER | {"items": {MEMBER: DATA}})),
        shop.call("POST", "/api/notifications", _request(GUEST, **INLINE, channelType="sms")),
        shop.call("POST", "/api/notifications/batch", {"notifications": [_templated(GUEST)] * 3}),
        shop.call("PUT", f"/api/users/{USER}", user, headers={"If-None-Match": "*"}),
    )
    assert {answer.status for answer in answers} == {202, 201}, answers
    refused = await asyncio.gather(
        shop.call("POST", "/api/notifications", _templated({"email": f"{EMAIL}@@"})),
        shop.call("POST", "/api/notifications", _request(GUEST, **INLINE, unknown=DATA)),
        shop.call("POST", "/api/notifications", _request(GUEST, data={"a": f"{DATA}\0"}, **INLINE)),
        shop.call("POST", "/api/notifications", _templated(GUEST, data={"items": [DATA]})),
        shop.call(
            "POST", "/api/notifications", _request(GUEST, **INLINE) | {"subject": "?"}, idempotency=KEY
        ),
        shop.call("POST", "/api/notifications", b'{"subject": "%b' % SUBJECT.encode()),
    )
    assert {answer.status for answer in refused} == {400, 422}, refused
    shown = await asyncio.gather(
        shop.call("POST", "/api/notifications?dry_run=true", _templated(GUEST)),
        shop.call("GET", f"/api/users?email={GUEST['email']}"),
        shop.call("GET", f"/api/notifications?recipient={USER}"),
        shop.call("GET", f"/api/users/{USER}"),
    )
    assert {answer.status for answer in shown} == {200}, shown
    async with shop.events() as publish:
        customer = {"userId": f"{USER}-2", **user}
        await publish("user.created", customer, message_id=f"{RUN}-1")
        await publish("user.updated", customer | {"locale": "de-DE"}, message_id=f"{RUN}-2")
        await publish("order.created", ORDER | {"userId": USER, "orderId": "10"}, message_id=f"{RUN}-3")
        await publish(
            "order.created", ORDER | {"email": GUEST["email"], "orderId": "11"}, message_id=f"{RUN}-4"
        )
        await publish("user.deleted", {"userId": f"{USER}-2", MEMBER: DATA}, message_id=f"{RUN}-7")

        # Parked: with all they say, for an operator to read; the log must not tell it.
        await publish("order.created", {"email": GUEST["email"], "items": [DATA]}, message_id=f"{RUN}-5")
        await publish("order.created", b'{"email": "%b' % GUEST["email"].encode(), message_id=f"{RUN}-6")


async def test_personal_data_is_found_nowhere(postal: Postal, postgres_server: PostgresServer) -> None:
    shop = postal.shop
    await _send_all(shop)
    queues = await _filled(shop)
    await eventually(lambda: len(postal.mailbox.mails) >= 9, timeout=30)
    await eventually(lambda: postal.events.log_text().count("event.parked") == 2)
    places = await everywhere(shop) | {"log of postgres": [postgres_server.log.read_text()]}
    wanted = [*CANARIES, PHONE, shop.key, shop.test_key, SECRET]
    assert leaks(places, wanted) + leaks(queues, wanted) == []
    mails = {"mails": [mail.as_string() for mail in postal.mailbox.mails]}
    assert len(leaks(mails, [NAME, EMAIL, DATA, SUBJECT, BODY, HTML])) == 6, "the canaries went all the way"
    logged = {line["event"] for role in postal[2:] for line in role.log_lines()}
    assert logged >= {"http.request", "events.handled", "deliveries.worked"}
    assert all(places[f"metrics of {role}"][0].count("posthorn_") > 5 for role in ("api", "worker", "events"))


async def _filled(shop: Shop) -> dict[str, list[str]]:
    """Messages seen over a while, until some were seen in a lane, on the ladder and among dead letters."""
    seen: dict[str, list[str]] = defaultdict(list)

    async def some_of_each() -> None:
        for place, found in (await asyncio.to_thread(messages, shop)).items():
            seen[place] += found
        filled = " ".join(place for place, found in seen.items() if found)
        for kind in ("queue deliver.sms.medium", "queue deliver.email.medium.dlq", "queue delay."):
            assert kind in filled

    await eventually(some_of_each, timeout=30, interval=0.3)
    return seen


PLANTED = [
    ("INSERT INTO suppressions (channel, address_index, reason) VALUES ('x', '', $1)", RUN.upper()),
    ("INSERT INTO suppressions (channel, address_index, reason) VALUES ('x', '', $1)", RUN.encode().hex()),
    ("INSERT INTO suppressions (channel, address_index, reason) VALUES ('x', $1, '')", f"..{RUN}".encode()),
    *(
        (
            "INSERT INTO suppressions (channel, address_index, reason) VALUES ('x', $1, '')",
            base64.b64encode(b"." * n + RUN.encode() + b"more"),
        )
        for n in range(4)
    ),
    ("UPDATE notifications SET metadata = jsonb_build_object('a', $1::text) WHERE channel = 'sms'", RUN),
]


@pytest.mark.parametrize(("statement", "value"), PLANTED, ids=range(len(PLANTED)))
async def test_a_canary_planted_in_a_table_is_found(postal: Postal, statement: str, value: object) -> None:
    shop = postal.shop
    await shop.fetch(statement, value)
    found = leaks(await canary.tables(shop), [RUN])
    await shop.fetch("DELETE FROM suppressions WHERE channel = 'x'")
    await shop.fetch("UPDATE notifications SET metadata = NULL WHERE channel = 'sms'")
    assert [place.rpartition(" ")[2].rstrip("_0123456789") for place in found] == [
        "suppressions" if "suppressions" in statement else "notifications"
    ]
    assert leaks(await canary.tables(shop), [RUN]) == []


@pytest.mark.parametrize(
    ("body", "headers"),
    [(RUN.encode(), {}), (b"\xff" + RUN.encode(), {}), (b"", {"a": RUN})],
    ids=["text", "octets", "header"],
)
async def test_a_canary_planted_in_a_queue_is_found(
    postal: Postal, body: bytes, headers: dict[str, str]
) -> None:
    shop = postal.shop
    queue = "deliver.webhook.low.dlq"
    async with links(shop.broker) as (publishing, _):
        planted = Outgoing(id=IDS.next(), queue=queue, body=body, headers=headers)
        await RabbitPublisher(publishing).publish([planted])
    found = leaks(await asyncio.to_thread(messages, shop), [RUN])
    assert shop.rabbitmq
    await asyncio.to_thread(shop.rabbitmq.api, "DELETE", f"/queues/{shop.broker.name}/{queue}/contents")
    assert found == [f"{RUN} in queue {queue}"]


async def test_a_canary_planted_in_a_log_is_found(postal: Postal) -> None:
    before = postal.api.log.read_bytes()
    with postal.api.log.open("a") as log:
        log.write(f'{{"event": "planted", "name": "{NAME}"}}\n')
    found = leaks(canary.logs(postal.shop), [NAME])
    postal.api.log.write_bytes(before)
    assert found == [f"{NAME} in log of {postal.api.folder.name}"]
