"""Several channels, and registered types, over REST."""

from typing import Any
from uuid import UUID

import pytest

from domain.delivery.delivery import DeliveryStatus
from tests.api.world import World, errors_of
from tests.support.memory.rows import NotificationRow

URL = "/api/notification-types/order_shipped"
S = DeliveryStatus
WORDS = {"subject": "On its way", "body": "It left our house."}


async def said(world: World, *channels: str) -> dict[str, str]:
    """A template for each of these channels, by channel."""
    for channel in channels:
        made = await world.template(
            id=f"on-{channel}",
            channelType=channel,
            subjectTemplate="Parcel {{ orderId }}" if channel != "sms" else None,
            bodyTemplate="Order {{ orderId }} is on its way",
            variables={"orderId": {}},
        )
        assert made.status_code == 201, made.text
    return {channel: f"on-{channel}" for channel in channels}


async def asked(world: World, **body: Any) -> NotificationRow:
    """A request for `order_shipped` that was accepted."""
    known = {"notificationType": "order_shipped", "recipientId": "456"}
    answer = await world.client.post("/api/notifications", json={**known, **body})
    assert answer.status_code == 202, answer.text
    return world.rows.notifications[UUID(answer.json()["id"])]


async def refused(world: World, **body: Any) -> dict[str, str]:
    known = {"notificationType": "order_shipped", "recipientId": "456"}
    return errors_of(await world.client.post("/api/notifications", json={**known, **body}))


async def registered(world: World, **changes: Any) -> None:
    kind = {"channels": ["push", "sms"], "routing": "first", "templates": await said(world, "push", "sms")}
    made = await world.client.put(URL, json=kind | changes)
    assert made.status_code == 201, made.text


def standing(world: World, row: NotificationRow) -> dict[str, str]:
    return {each.channel: each.status for each in world.rows.deliveries_of(row.id)}


async def test_a_type_is_registered_read_replaced_listed_and_deleted(world: World) -> None:
    templates = await said(world, "push", "sms")
    kind = {"channels": ["push", "sms"], "routing": "first", "templates": templates, "category": "orders"}
    made = await world.client.put(URL, json=kind | {"class": "otp", "priority": "critical"})
    assert (made.status_code, made.headers["location"], made.headers["etag"]) == (201, URL, '"1"')
    read = (await world.client.get(URL)).json()
    assert read == made.json()
    assert {name: read[name] for name in kind} == kind
    assert (read["id"], read["class"], read["priority"]) == ("order_shipped", "otp", "critical")
    listed = await world.client.get("/api/notification-types")
    assert listed.json()["items"] == [read]
    assert (await world.client.put(URL, json=kind)).status_code == 428
    replaced = await world.client.put(URL, json=kind, headers={"If-Match": '"1"'})
    assert (replaced.status_code, replaced.json()["priority"]) == (200, "medium")
    gone = await world.client.delete(URL, headers={"If-Match": '"2"'})
    assert gone.status_code == 204
    assert errors_of(await world.client.get(URL), 404) == {}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"channels": []}, {"/channels": "bad_length"}),
        ({"channels": ["pigeon"], "templates": {}}, {"/channels/0": "unknown_channel"}),
        ({"channels": ["push", "push"], "templates": {}}, {"/channels/1": "duplicate"}),
        ({"channels": ["push"]}, {"/templates/sms": "wrong_channel"}),
        ({"templates": {"push": "on-sms"}}, {"/templates/push": "wrong_channel"}),
        ({"templates": {"push": "nowhere"}}, {"/templates/push": "unknown_template"}),
        ({"routing": "any"}, {"/routing": "bad_value"}),
        ({"category": "a\u202eb"}, {"/category": "bad_character"}),
    ],
)
async def test_every_error_of_a_type_is_told_at_its_place(
    world: World, changes: dict[str, Any], expected: dict[str, str]
) -> None:
    kind = {"channels": ["push", "sms"], "templates": await said(world, "push", "sms")}
    assert errors_of(await world.client.put(URL, json=kind | changes)) == expected


async def test_of_a_registered_type_a_request_says_whom_and_what_and_nothing_else(world: World) -> None:
    await registered(world, **{"class": "otp", "priority": "critical", "category": "orders"})

    row = await asked(world, data={"orderId": 7})

    assert (row.klass, row.priority.label, row.category) == ("otp", "critical", "orders")
    assert (row.routing, [route.channel for route in row.routes]) == ("first", ["push", "sms"])
    assert [route.template for route in row.routes] == ["on-push", "on-sms"]
    assert standing(world, row) == {"push": S.QUEUED, "sms": S.STANDBY}
    shown = (await world.client.get(f"/api/notifications/{row.id}")).json()
    assert (shown["routing"], shown["category"], shown["channelType"]) == ("first", "orders", "push")
    assert shown["routes"][1] == {"channelType": "sms", "templateId": "on-sms", "templateVersion": 1}
    deliveries = (await world.client.get(f"/api/notifications/{row.id}/deliveries")).json()["items"]
    assert {each["channelType"]: each["status"] for each in deliveries} == standing(world, row)
    found = await world.client.get("/api/notifications?channel=sms&recipient=456")
    assert [each["id"] for each in found.json()["items"]] == [str(row.id)]


async def test_what_a_request_says_itself_wins(world: World) -> None:
    await registered(world, **{"class": "otp", "priority": "critical", "category": "orders"})
    templates = await said(world, "email")
    data = {"orderId": 7}

    row = await asked(
        world, data=data, **{"class": "marketing", "priority": "low", "category": "sales", "routing": "all"}
    )
    assert (row.klass, row.priority.label, row.category) == ("marketing", "low", "sales")
    assert standing(world, row) == {"push": S.QUEUED, "sms": S.QUEUED}
    medium = await asked(world, data=data, **{"class": "transactional", "priority": "medium"})
    assert (medium.klass, medium.priority.label) == ("transactional", "medium")
    alone = await asked(world, data=data, channelType="sms")
    assert (alone.channel, alone.template_id, alone.routes) == ("sms", "on-sms", ())
    other = await asked(world, data=data, templateId=templates["email"])
    assert (other.channel, other.template_id, other.klass) == ("email", "on-email", "otp")
    words = await asked(world, channels=["push", "in_app"], **WORDS)
    assert [(route.channel, route.template) for route in words.routes] == [("push", None), ("in_app", None)]
    mixed = await asked(world, data=data, channels=["sms", "email"], templates=templates)
    assert [(route.channel, route.template) for route in mixed.routes] == [
        ("sms", "on-sms"),
        ("email", "on-email"),
    ]


async def test_without_a_registered_type_a_request_names_its_channels(world: World) -> None:
    templates = await said(world, "push", "sms")

    every = await asked(world, channels=["push", "sms"], templates=templates, data={"orderId": 7})
    turns = await asked(world, channels=["push", "sms"], routing="first", **WORDS)
    one = await asked(world, channels=["sms"], routing="first", **WORDS)

    assert (every.routing, standing(world, every)) == ("all", {"push": S.QUEUED, "sms": S.QUEUED})
    assert (turns.routing, standing(world, turns)) == ("first", {"push": S.QUEUED, "sms": S.STANDBY})
    assert (one.routing, one.routes, standing(world, one)) == (None, (), {"sms": S.QUEUED})


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"channels": ["push", "sms"], "channelType": "push", **WORDS}, {"/channelType": "ambiguous"}),
        ({"channels": ["push", "pigeon"], **WORDS}, {"/channels/1": "unknown_channel"}),
        ({"channels": ["push", "push"], **WORDS}, {"/channels/1": "duplicate"}),
        ({"channels": [], **WORDS}, {"/channels": "bad_length"}),
        ({"channels": ["push"] * 6, **WORDS}, {"/channels": "bad_length"}),
        ({"channels": ["push", "sms"]}, {"/channels/0": "missing", "/channels/1": "missing"}),
        ({"channels": ["sms", "email"], "body": "Hi"}, {"/subject": "missing"}),
        ({"channels": ["push", "sms"], "routing": "any", **WORDS}, {"/routing": "bad_value"}),
        (
            {"channels": ["push", "sms"], "templates": {"email": "on-push"}, **WORDS},
            {"/templates/email": "wrong_channel"},
        ),
        (
            {"channels": ["push", "sms"], "templates": {"sms": "on-push"}, "data": {"orderId": 1}, **WORDS},
            {"/templates/sms": "wrong_channel"},
        ),
        (
            {"channels": ["push", "sms"], "templates": {"push": "on-push", "sms": "on-sms"}},
            {"/data/orderId": "missing_variable"},
        ),
        (
            {"channels": ["push", "sms"], "templates": {"push": "nowhere"}, **WORDS},
            {"/templates/push": "unknown_template"},
        ),
        (
            {
                "channels": ["push", "sms"],
                "templates": {"push": "on-push", "sms": "on-sms"},
                "data": {"orderId": 1},
                **WORDS,
            },
            {"/templates": "ambiguous"},
        ),
        ({"channels": ["push"], "parts": {"sms": {}}, **WORDS}, {"/parts/sms": "wrong_channel"}),
        (
            {
                "channels": ["sms", "in_app"],
                "recipientId": None,
                "recipients": [{"email": "a@b.de"}],
                **WORDS,
            },
            {"/recipients/0": "no_address"},
        ),
    ],
)
async def test_every_error_of_several_channels_is_told_at_its_place(
    world: World, body: dict[str, Any], expected: dict[str, str]
) -> None:
    await said(world, "push", "sms")
    assert await refused(world, **body) == expected


async def test_the_template_of_one_channel_and_words_for_the_other(world: World) -> None:
    await said(world, "sms")
    row = await asked(
        world, channels=["push", "sms"], templateId="on-sms", data={"orderId": 1}, subject="S", body="B"
    )
    assert [(each.channel, each.template) for each in row.routes] == [("push", None), ("sms", "on-sms")]


async def test_a_disabled_channel_is_passed_over_where_one_is_enough(world: World) -> None:
    for channel in ("push", "sms"):
        off = {"isEnabled": False, "providers": ["sandbox"]}
        headers = {"If-Match": (await world.client.get(f"/api/channels/{channel}")).headers["etag"]}
        saved = await world.client.put(f"/api/channels/{channel}", json=off, headers=headers)
        assert saved.status_code == 200, saved.text
        if channel == "push":
            turns = await asked(world, channels=["push", "sms"], routing="first", **WORDS)
            every = await refused(world, channels=["push", "sms"], routing="all", **WORDS)
    none = await refused(world, channels=["push", "sms"], routing="first", **WORDS)

    assert standing(world, turns) == {"sms": S.QUEUED}
    assert every == {"/channels/0": "channel_disabled"}
    assert none == {"/channels/0": "channel_disabled", "/channels/1": "channel_disabled"}


async def test_a_dry_run_shows_every_channel_and_which_would_be_used(world: World) -> None:
    await registered(world)
    body = {
        "notificationType": "order_shipped",
        "recipients": [{"phone": "+4930901820"}, {"phone": "+4930901821", "addresses": {"push": "token"}}],
        "data": {"orderId": 7},
    }

    answer = await world.client.post("/api/notifications?dry_run=true", json=body)

    assert answer.status_code == 200, answer.text
    shown = answer.json()
    assert (shown["routing"], [route["channelType"] for route in shown["routes"]]) == (
        "first",
        ["push", "sms"],
    )
    assert [(each["channelType"], each["decision"], each["reason"]) for each in shown["rendered"]] == [
        ("push", "fail", "no device"),
        ("sms", "send", None),
        ("push", "send", None),
        ("sms", "standby", "behind push"),
    ]
    assert {each["body"] for each in shown["rendered"]} == {"Order 7 is on its way"}
    assert world.rows.notifications == {}


async def test_a_dry_run_knows_who_has_a_device(world: World) -> None:
    """The sandbox knows all users: without a provider like it, a push needs a device."""
    await registered(world)
    headers = {"If-Match": (await world.client.get("/api/channels/push")).headers["etag"]}
    changed = await world.client.put("/api/channels/push", json={"providers": ["smtp"]}, headers=headers)
    assert changed.status_code == 200, changed.text
    known = {"phone": "+4930901820", "email": "a@shop.test"}
    for user in ("with", "without"):
        assert (await world.client.put(f"/api/users/{user}", json=known)).status_code in (200, 201)
    made = await world.client.put("/api/users/with/devices/token-1", json={"platform": "android"})
    assert made.status_code in (200, 201), made.text

    chosen = []
    for user in ("with", "without"):
        body = {"notificationType": "order_shipped", "recipientId": user, "data": {"orderId": 7}}
        shown = (await world.client.post("/api/notifications?dry_run=true", json=body)).json()
        chosen += [each["channelType"] for each in shown["rendered"] if each["decision"] == "send"]

    assert chosen == ["push", "sms"]


async def test_the_same_request_is_accepted_once_whatever_its_type_says_meanwhile(world: World) -> None:
    await registered(world)
    first = await asked(world, data={"orderId": 7}, idempotencyKey="shipped:7")
    kind = {"channels": ["sms"], "templates": {"sms": "on-sms"}}
    changed = await world.client.put(URL, json=kind, headers={"If-Match": '"1"'})
    assert changed.status_code == 200

    again = await asked(world, data={"orderId": 7}, idempotencyKey="shipped:7")

    assert again is first


async def test_what_was_not_said_is_the_same_as_its_default_said(world: World) -> None:
    """So it was before types could be registered: keys are kept for 90 days."""
    plain = {"channelType": "sms", "body": "Hi", "idempotencyKey": "k"}
    first = await asked(world, **plain)
    assert await asked(world, **plain, **{"class": "transactional", "priority": "medium"}) is first


async def test_a_trigger_may_leave_everything_to_the_registered_type(world: World) -> None:
    trigger = {"event": "order.shipped", "notificationType": "order_shipped", "key": "{data.orderId}"}
    unknown = await world.client.put("/api/triggers/t", json=trigger)
    assert errors_of(unknown) == {"/templateId": "missing"}
    await registered(world, priority="high")

    made = await world.client.put("/api/triggers/t", json=trigger)

    assert made.status_code == 201, made.text
    assert (made.json()["templateId"], made.json()["class"], made.json()["priority"]) == (None, None, None)
