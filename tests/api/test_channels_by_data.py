"""A provider and a channel that are nothing but data, over the API."""

from typing import Any

import httpx
import pytest

from entrypoints.http.provider.description import DESCRIPTION
from tests.api.world import World, errors_of

[PIGEON] = DESCRIPTION.values()
PROVIDER_URL = "/api/providers/pigeon"
UNSIGNED = {
    "statuses": {"ok": "delivered"},
    "delivery": "/ref",
    "signature": {
        "kind": "hmac",
        "secret": "env:CHANNEL_SECRET_X",
        "header": "X-S",
        "signs": "id.timestamp.body",
    },
}
CHANNEL = {"providers": ["pigeon"], "addressedBy": "phone"}


async def test_a_provider_is_described_read_changed_and_removed(world: World) -> None:
    made = await world.client.put(PROVIDER_URL, json=PIGEON)
    assert made.status_code == 201, made.text
    assert (made.headers["location"], made.headers["etag"]) == (f"{PROVIDER_URL}/description", '"1"')
    read = await world.client.get(made.headers["location"])
    assert read.json() == made.json()
    assert read.json()["description"] == PIGEON

    changed = {**PIGEON, "limits": {"connections": 3}}
    assert errors_of(await world.client.put(PROVIDER_URL, json=changed), 428) == {}
    saved = await world.client.put(PROVIDER_URL, json=changed, headers={"If-Match": '"1"'})
    assert (saved.status_code, saved.headers["etag"]) == (200, '"2"')

    assert errors_of(await world.client.delete(PROVIDER_URL, headers={"If-Match": '"1"'}), 412) == {}
    gone = await world.client.delete(PROVIDER_URL, headers={"If-Match": '"2"'})
    assert gone.status_code == 204
    assert errors_of(await world.client.get(f"{PROVIDER_URL}/description"), 404) == {}


async def test_a_channel_is_made_sent_on_and_removed(world: World) -> None:
    await world.client.put(PROVIDER_URL, json=PIGEON)
    made = await world.client.put("/api/channels/pigeon_post", json=CHANNEL)
    assert made.status_code == 201, made.text
    assert made.headers["location"] == "/api/channels/pigeon_post"
    assert made.json()["addressedBy"] == "phone"
    assert world.broker.depth("deliver.pigeon_post.low") == 0

    await world.template(id="t", channelType="pigeon_post", subjectTemplate=None)
    accepted = await world.notification(channelType="pigeon_post", recipients=[{"phone": "+4930901820"}])
    assert accepted
    nowhere = await world.client.post(
        "/api/notifications",
        json={
            "notificationType": "t",
            "channelType": "pigeon_post",
            "body": "b",
            "recipients": [{"email": "a@b.org"}],
        },
    )
    assert errors_of(nowhere) == {"/recipients/0": "no_address"}
    assert errors_of(await world.client.delete("/api/channels/pigeon_post"), 428) == {}
    runs = await world.client.delete("/api/channels/pigeon_post", headers={"If-Match": '"1"'})
    assert errors_of(runs) == {"": "needed"}


async def test_a_recipient_has_an_address_of_the_channels_own(world: World) -> None:
    await world.client.put(
        "/api/channels/telegram", json={"providers": ["sandbox"], "addressedBy": "addresses"}
    )
    guest = {"addresses": {"telegram": " 123456 "}}
    await world.notification(channelType="telegram", recipients=[guest])
    put = await world.client.put("/api/users/ada", json=guest)
    assert put.status_code == 201, put.text
    assert (await world.client.get("/api/users/ada")).json()["addresses"] == {"telegram": "123456"}
    shown = await world.client.post(
        "/api/notifications?dry_run=true",
        json={"notificationType": "t", "channelType": "telegram", "body": "b", "recipients": ["ada", "eve"]},
    )
    assert [each["reachable"] for each in shown.json()["rendered"]] == [True, False]
    replaced = await world.client.put("/api/users/ada", json={"name": "Ada"}, headers={"If-Match": "*"})
    assert replaced.json()["addresses"] == {}


@pytest.mark.parametrize(
    ("addresses", "expected"),
    [
        ({"telegram": "x" * 2_001}, {"/recipients/0/addresses/telegram": "bad_length"}),
        ({"tele.gram": "1"}, {"/recipients/0/addresses": "bad_channel"}),
        ({"telegram": "1\u202e2"}, {"/recipients/0/addresses/telegram": "bad_character"}),
        ({f"c{n}": "1" for n in range(21)}, {"/recipients/0/addresses": "too_many"}),
    ],
)
async def test_every_error_of_an_address_is_told_at_its_place(
    client: httpx.AsyncClient, addresses: dict[str, str], expected: dict[str, str]
) -> None:
    body = {"notificationType": "t", "channelType": "email", "subject": "s", "body": "b"}
    recipient = {"email": "ada@shop.test", "addresses": addresses}
    answer = await client.post("/api/notifications", json=body | {"recipients": [recipient]})
    assert errors_of(answer) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"url": "ftp://x.test/"}, {"/url": "bad_url"}),
        ({"url": "https://{{ message.address }}/"}, {"/url": "bad_url"}),
        ({"url": "https://x.test{{ message.address }}"}, {"/url": "bad_url"}),
        ({"url": "https://user@x.test/"}, {"/url": "bad_url"}),
        ({"url": "https://x.test:99999/"}, {"/url": "bad_url"}),
        ({"url": "https://x.test/{{ message.adress }}"}, {"/url": "unknown_place"}),
        ({"url": "https://x.test/{{ message.body"}, {"/url": "bad_place"}),
        ({"headers": {"Host": "y.test"}}, {"/headers/Host": "bad_header"}),
        ({"headers": {"X Y": "1"}}, {"/headers/X Y": "bad_header"}),
        ({"headers": {"X-Y": "1\r\nX: 2"}}, {"/headers/X-Y": "bad_character"}),
        ({"headers": {"Authorization": "Bearer abc"}}, {"/headers/Authorization": "inline_secret"}),
        ({"auth": {"kind": "bearer", "secret": "abc"}}, {"/auth/secret": "inline_secret"}),
        (
            {"auth": {"kind": "bearer", "secret": "env:POSTHORN_VAULT__SECRET"}},
            {"/auth/secret": "reference_not_allowed"},
        ),
        (
            {"secrets": {"key": "file:../other"}},
            {"/secrets/key": "reference_not_allowed"},
        ),
        ({"body": {"kind": "json", "document": {"a": ["{{ x }}"]}}}, {"/body/document/a/0": "unknown_place"}),
        (
            {"body": {"kind": "json", "document": {"a": "{{ message.body | eval }}"}}},
            {"/body/document/a": "bad_place"},
        ),
        ({"results": [{"means": "refused"}]}, {"/results/0": "no_test"}),
        ({"results": [{"means": "refused", "status": ["600"]}]}, {"/results/0/status/0": "bad_status"}),
        ({"results": [{"means": "lost", "status": ["200"]}]}, {"/results/0/means": "bad_value"}),
        (
            {"results": [{"means": "refused", "tests": [{"at": "ok", "exists": True}]}]},
            {"/results/0/tests/0/at": "bad_pointer"},
        ),
        (
            {"results": [{"means": "refused", "tests": [{"at": "/ok"}]}]},
            {"/results/0/tests/0": "ambiguous"},
        ),
        ({"reference": {"at": "/id", "header": "X-Id"}}, {"/reference": "ambiguous"}),
        (
            {
                "webhook": {
                    "statuses": {"ok": "delivered"},
                    "delivery": "/ref",
                    "signature": {
                        "kind": "hmac",
                        "secret": "env:CHANNEL_SECRET_X",
                        "header": "X-S",
                        "signs": "id.timestamp.body",
                    },
                }
            },
            {
                "/webhook/signature/idHeader": "missing",
                "/webhook/signature/timestampHeader": "missing",
            },
        ),
        ({"webhook": {"statuses": {"ok": "delivered"}}}, {"/webhook": "no_correlation"}),
        ({"headers": {f"X-{n}": "1" for n in range(21)}}, {"/headers": "bad_length"}),
        ({"body": {"kind": "yaml"}}, {"/body/kind": "bad_value"}),
        ({"body": {"kind": "form", "fields": {}}}, {"/body/fields": "bad_length"}),
        ({"auth": {"kind": "basic", "user": "u"}}, {"/auth/secret": "missing"}),
        ({"colour": "blue"}, {"/colour": "unknown_field"}),
    ],
)
async def test_every_error_of_a_description_is_told_at_its_place(
    client: httpx.AsyncClient, changes: dict[str, Any], expected: dict[str, str]
) -> None:
    answer = await client.put(PROVIDER_URL, json={**PIGEON, **changes})
    assert errors_of(answer) == expected


async def test_a_test_key_describes_nothing(world: World) -> None:
    answer = await world.client.put(PROVIDER_URL, json=PIGEON, headers=world.as_test())
    assert errors_of(answer, 403) == {}


async def test_such_a_channel_has_whatever_parts_its_description_places(world: World) -> None:
    await world.client.put("/api/channels/whatsapp", json={"providers": ["sandbox"], "addressedBy": "phone"})
    document = {"name": "shipped", "language": {"code": "de"}, "components": [{"type": "body", "n": 1}]}
    parts = {"type": "template", "template": document}
    phone = [{"phone": "+4930901820"}]
    await world.notification(
        channelType="whatsapp", subject=None, body=None, recipients=phone, parts={"whatsapp": parts}
    )
    template = {
        "id": "shipped_whatsapp",
        "channelType": "whatsapp",
        "subjectTemplate": None,
        "bodyTemplate": None,
        "parts": {"type": "template", "template": {"name": "shipped", "order": "{{ orderId }}"}},
        "variables": {"orderId": {"required": True}},
    }
    made = await world.template(**template)
    assert made.status_code == 201, made.text
    shown = await world.client.post(
        "/api/notifications?dry_run=true",
        json={
            "notificationType": "t",
            "templateId": "shipped_whatsapp",
            "recipients": phone,
            "data": {"orderId": "7"},
        },
    )
    [rendered] = shown.json()["rendered"]
    assert rendered["parts"] == {"type": "template", "template": {"name": "shipped", "order": "7"}}
