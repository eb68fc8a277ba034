"""What is said on each channel, over REST: in a template, in a request, in both."""

from typing import Any

import pytest

from tests.api.world import World, errors_of

SHIPPED: dict[str, Any] = {
    "id": "shipped_push",
    "name": "Shipped",
    "channelType": "push",
    "subjectTemplate": "On its way",
    "bodyTemplate": "Order {{ orderId }} was shipped.",
    "parts": {
        "link": "https://shop.test/orders/{{ orderId }}",
        "badge": "{{ unread }}",
        "image": "{{ picture }}",
        "data": {"order": "{{ orderId }}", "kind": "shipped"},
    },
    "variables": {"orderId": {}, "unread": {}, "picture": {"required": False, "default": ""}},
}
ASKED: dict[str, Any] = {
    "notificationType": "shipped",
    "templateId": "shipped_push",
    "recipientId": "c-1",
    "data": {"orderId": "A-7", "unread": 3},
}
DRY = "/api/notifications?dry_run=true"


async def test_a_template_has_the_parts_of_its_channel(world: World) -> None:
    made = await world.client.post("/api/templates", json=SHIPPED)
    assert made.status_code == 201
    assert made.json()["parts"] == SHIPPED["parts"]
    shown = (await world.client.post(DRY, json=ASKED)).json()["rendered"][0]
    assert shown["subject"] == "On its way"
    assert shown["parts"] == {
        "link": "https://shop.test/orders/A-7",
        "badge": 3,
        "data": {"order": "A-7", "kind": "shipped"},
    }


async def test_a_request_goes_before_its_template(world: World) -> None:
    await world.client.post("/api/templates", json=SHIPPED)
    asked = {**ASKED, "parts": {"push": {"badge": 9, "sound": "ding"}}}
    parts = (await world.client.post(DRY, json=asked)).json()["rendered"][0]["parts"]
    assert (parts["badge"], parts["sound"], parts["data"]["order"]) == (9, "ding", "A-7")


@pytest.mark.parametrize(
    ("parts", "pointer"),
    [
        ({"badge": [1]}, "/parts/badge"),
        ({"picture": "x"}, "/parts/picture"),
        ({"link": "{{ undeclared }}"}, "/parts/link"),
        ({"data": {"order": "{% if %}"}}, "/parts/data/order"),
        ({"data": {"x" * 3_000: "{{ orderId }}"}}, "/parts"),
    ],
)
async def test_what_is_wrong_with_a_templates_parts_is_named(
    world: World, parts: dict[str, Any], pointer: str
) -> None:
    refused = await world.client.post("/api/templates", json={**SHIPPED, "parts": parts})
    assert pointer in errors_of(refused, 422)


async def test_data_that_makes_no_badge_is_shown(world: World) -> None:
    await world.client.post("/api/templates", json=SHIPPED)
    asked = {**ASKED, "data": {"orderId": "A-7", "unread": "many"}}
    shown = (await world.client.post(DRY, json=asked)).json()["rendered"][0]
    assert "parts/badge" in shown["problem"]


@pytest.mark.parametrize(
    ("channel", "said", "errors"),
    [
        ("push", {"subject": "Hello"}, set()),
        ("push", {"parts": {"push": {"data": {"silent": "1"}}}}, set()),
        ("push", {}, {"/body"}),
        ("push", {"body": "x", "parts": {"push": {"badge": "x"}}}, {"/parts/push/badge"}),
        ("push", {"body": "x", "parts": {"email": {"preheader": "x"}}}, {"/parts/email"}),
        ("webhook", {"parts": {"webhook": {"document": {"order": 7}}}}, set()),
        (
            "in_app",
            {"body": "x", "parts": {"in_app": {"actions": [{"label": "x"}]}}},
            {"/parts/in_app/actions/0"},
        ),
    ],
)
async def test_a_request_says_it_itself(
    world: World, channel: str, said: dict[str, Any], errors: set[str]
) -> None:
    asked = {"notificationType": "t", "channelType": channel, "recipientId": "c-1", **said}
    answered = await world.client.post("/api/notifications", json=asked)
    assert answered.status_code == (422 if errors else 202), answered.text
    if errors:
        assert set(errors_of(answered, 422)) == errors


async def test_a_dry_run_shows_what_a_text_message_costs(world: World) -> None:
    asked = {"notificationType": "t", "channelType": "sms", "recipients": [{"phone": "+447700900123"}]}
    shown = (await world.client.post(DRY, json={**asked, "body": "it’s 谢"})).json()["rendered"][0]
    assert shown["sms"] == {"text": "it’s 谢", "encoding": "ucs2", "segments": 1, "foreign": "谢"}
    refused = await world.client.post(DRY, json={**asked, "body": "x" * 1_600})
    assert errors_of(refused, 422) == {"/body": "too_large"}


async def test_what_is_too_large_once_it_is_rendered_is_shown(world: World) -> None:
    await world.client.post("/api/templates", json=SHIPPED)
    asked = {**ASKED, "data": {"orderId": "x" * 1_500, "unread": 1}}
    shown = (await world.client.post(DRY, json=asked)).json()["rendered"][0]
    assert "push services take 4,096" in shown["problem"]


@pytest.mark.parametrize(
    ("channel", "said", "pointer"),
    [
        ("push", {"body": "x" * 4_097}, "/body"),
        ("sms", {"body": "Ż" * 671}, "/body"),
        ("push", {"body": "x", "parts": {"push": {"link": "javascript:alert(1)"}}}, "/parts/push/link"),
        ("push", {"body": "x", "parts": {"push": {"ttl": "P29D"}}}, "/parts/push/ttl"),
        ("email", {"parts": {"email": {"sender": "nobody"}}}, "/parts/email/sender"),
        (
            "email",
            {"parts": {"email": {"attachments": [{"name": "a", "type": "a/b", "url": "ftp://shop.test/a"}]}}},
            "/parts/email/attachments/0/url",
        ),
        (
            "email",
            {"parts": {"email": {"attachments": [{"name": "a", "type": "a/b", "content": "no!"}]}}},
            "/parts/email/attachments/0/content",
        ),
    ],
)
async def test_what_no_provider_would_take_is_refused_at_once(
    world: World, channel: str, said: dict[str, Any], pointer: str
) -> None:
    to = {"recipients": [{"email": "ada@shop.test"}]} if channel == "email" else {"recipientId": "c-1"}
    email = {"subject": "Hello", "body": "Hello"} if channel == "email" else {}
    asked = {"notificationType": "t", "channelType": channel, **to, **email, **said}
    refused = await world.client.post("/api/notifications", json=asked)
    assert pointer in errors_of(refused, 422)


async def test_styles_of_an_email_are_put_inline_when_its_template_is_saved(world: World) -> None:
    made = {"id": "t", "name": "T", "channelType": "email", "subjectTemplate": "s"}
    html = "<style>p{margin:0}</style>{% if true %}<p>x</p>{% endif %}"
    saved = await world.client.post("/api/templates", json={**made, "htmlBodyTemplate": html})
    assert saved.json()["htmlBodyTemplate"] == '{% if true %}<p style="margin: 0;">x</p>{% endif %}'
    torn = html.replace("</p>", "")
    refused = await world.client.post("/api/templates", json={**made, "id": "u", "htmlBodyTemplate": torn})
    assert errors_of(refused, 422) == {"/htmlBodyTemplate": "cannot_inline"}
    kept = {**made, "id": "u", "htmlBodyTemplate": torn, "parts": {"inlineCss": False}}
    assert (await world.client.post("/api/templates", json=kept)).json()["htmlBodyTemplate"] == torn


async def test_a_template_names_a_sender_that_there_is(world: World) -> None:
    made = {"id": "t", "name": "T", "channelType": "email", "subjectTemplate": "s", "bodyTemplate": "b"}
    refused = await world.client.post("/api/templates", json={**made, "parts": {"sender": "nobody"}})
    assert "/parts/sender" in errors_of(refused, 422)
    texts = {f"k{n}": "{{ recipient.name }}" for n in range(201)}
    refused = await world.client.post(
        "/api/templates", json={**made, "channelType": "whatsapp", "parts": {"many": texts}}
    )
    assert "/parts" in errors_of(refused, 422)
