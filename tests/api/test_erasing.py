"""Erasing by address: guests have nothing else."""

from uuid import UUID

import httpx
import pytest

from adapters.crypto.vault import LocalVault
from application.privacy.ports import Unreadable
from application.privacy.sealing import open_content, unwrap_content_key
from tests.api.world import World, errors_of

URL = "/api/users:erase"


def _alive(world: World) -> int:
    return sum(row.data_key is not None for row in world.rows.users.values())


async def _erased(client: httpx.AsyncClient, **who: object) -> dict[str, object]:
    answer = await client.post(URL, json=who)
    assert answer.status_code == 200, answer.text
    body: dict[str, object] = answer.json()
    return body


@pytest.mark.parametrize(
    "who", [{"email": " Guest@Example.com "}, {"phone": "+49 30 901820"}], ids=["email", "phone"]
)
async def test_a_guest_is_erased_by_either_address(world: World, who: dict[str, str]) -> None:
    guest = {"email": "guest@example.com", "phone": "+4930901820", "name": "Ada"}
    notification = await world.notification(recipients=[guest])
    other = await world.notification(recipients=[{"email": "other@example.com"}])

    assert await _erased(world.client, **who) == {"erased": 1, "customersKept": 0, "customerIds": []}
    assert await _erased(world.client, **who) == {"erased": 0, "customersKept": 0, "customerIds": []}

    assert _alive(world) == 1
    [row] = world.rows.deliveries_of(notification)
    user = world.rows.users[row.user_id]
    assert (user.data_key, user.profile, user.email_index, user.phone_index) == (None,) * 4
    shown = (await world.client.get(f"/api/notifications/{notification}/deliveries")).json()["items"]
    assert [(each["recipientEmail"], each["recipientPhone"]) for each in shown] == [(None, None)]
    shown = (await world.client.get(f"/api/notifications/{other}/deliveries")).json()["items"]
    assert shown[0]["recipientEmail"] == "o•••@example.com"


async def test_what_was_said_to_them_cannot_be_read_again(world: World) -> None:
    notification = await world.notification(recipients=[{"email": "guest@example.com"}])
    [row] = world.rows.deliveries_of(notification)
    vault: LocalVault = world.app.services.find_user.vault  # type: ignore[assignment]
    wrapped = world.rows.users[row.user_id].data_key
    assert wrapped is not None
    content = world.rows.notifications[notification].content
    key = unwrap_content_key(vault.unwrap(wrapped, row.user_id), row.content_key, row.id)
    assert open_content(key, notification, content).body == "It is on its way."

    await _erased(world.client, email="guest@example.com")

    assert wrapped not in {user.data_key for user in world.rows.users.values()}
    with pytest.raises(Unreadable):
        unwrap_content_key(vault.create(), row.content_key, row.id)


async def test_customers_with_the_address_are_named_and_go_when_asked(world: World) -> None:
    for user in ("7", "a/b"):
        await world.notification(recipients=[{"userId": user, "email": "family@example.com"}])
    await world.notification(recipients=[{"email": "family@example.com"}])

    answer = await _erased(world.client, email="family@example.com")
    assert (answer["erased"], answer["customersKept"]) == (1, 2)
    assert sorted(answer["customerIds"]) == ["7", "a/b"]  # type: ignore[call-overload]
    assert _alive(world) == 2

    assert (await _erased(world.client, email="family@example.com", customers=True))["erased"] == 2
    assert _alive(world) == 0


async def test_a_customer_is_erased_by_any_id(world: World) -> None:
    for user in ("a/b", "..", "x?y#z", "ü ü"):
        await world.notification(recipients=[user])
        assert (await _erased(world.client, userId=user))["erased"] == 1
    assert _alive(world) == 0


async def test_suppression_stays(world: World) -> None:
    await world.notification(recipients=[{"email": "guest@example.com"}])
    [user] = world.rows.users.values()
    assert user.email_index is not None
    world.rows.suppressions["email", user.email_index] = "complained"
    await _erased(world.client, email="guest@example.com")
    assert world.rows.suppressions == {("email", user.email_index): "complained"}


async def test_many_guests_of_a_number_are_all_erased(world: World) -> None:
    users = [{"email": f"g{n}@example.com", "phone": "+4930901820"} for n in range(1_000)]
    await world.notification(recipients=users)
    assert (await _erased(world.client, phone="+4930901820"))["erased"] == 1_000


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, {"": "missing"}),
        ({"email": "a@example.com", "userId": "7"}, {"": "missing"}),
        ({"email": "nobody"}, {"/email": "bad_email"}),
        ({"phone": "12"}, {"/phone": "bad_phone"}),
        ({"email": " "}, {"/email": "missing"}),
    ],
)
async def test_who_is_not_named_is_not_erased(
    world: World, body: dict[str, str], errors: dict[str, str]
) -> None:
    await world.notification()
    assert errors_of(await world.client.post(URL, json=body)) == errors
    assert _alive(world) == 1


async def test_no_address_stands_in_the_wide_event(world: World) -> None:
    await _erased(world.client, email="guest@example.com")
    assert "guest" not in repr(world.seen)
    assert UUID(world.seen[-1].trace_id)
