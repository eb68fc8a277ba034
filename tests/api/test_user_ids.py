"""An id that is accepted can be asked for: whatever the shop calls its customers."""

from urllib.parse import quote

import httpx
import pytest

from domain.user.update import UserUpdate
from tests.api.world import INLINE, World, errors_of

ADDRESS = {"email": "ada@example.com"}
SPELLED = "0198f7a0-0000-7000-8000-000000000000"
ODD = [
    "a/b",
    "a/",
    "/a",
    "a//b",
    "a/../b",
    "x?y#z",
    "100%",
    "%2F",
    "ü/ö",
    "a b",
    "urn:shop:a:1",
    "456:erase",
    "a+b",
]
HIDDEN = ["a\n", "\x1b[2J", "a\u202eb", "a\u200bb", "\ufeff7", "a\u2028b", "a\x9bb", "a\x7f", "a\u2066b"]


def at(user: str) -> str:
    return f"/api/users/{quote(user, safe='')}"


@pytest.mark.parametrize("user", ODD)
async def test_any_visible_id_is_created_read_and_erased(client: httpx.AsyncClient, user: str) -> None:
    put = await client.put(at(user), json=ADDRESS, headers={"If-None-Match": "*"})
    assert put.status_code == 201, put.text
    assert put.headers["location"] == at(user)
    read = await client.get(at(user))
    assert (read.status_code, read.json()["id"]) == (200, user)
    again = await client.put(at(user), json=ADDRESS, headers={"If-Match": read.headers["etag"]})
    assert again.status_code == 200, again.text
    assert (await client.delete(at(user))).status_code == 204
    assert errors_of(await client.get(at(user)), 404) == {}


@pytest.mark.parametrize("user", ODD)
async def test_one_that_came_with_a_notification_is_found(world: World, user: str) -> None:
    await world.notification(recipients=[{"userId": user, **ADDRESS}])
    assert (await world.client.get(at(user))).json()["id"] == user
    [found] = (await world.client.get(f"/api/notifications?recipient={quote(user, safe='')}")).json()["items"]
    assert found["notificationType"] == INLINE["notificationType"]
    assert (await world.client.delete(at(user))).status_code == 204


async def test_neighbours_are_not_taken_for_it(world: World) -> None:
    for user in ("a", "a/", "a/b"):
        await world.notification(recipients=[{"userId": user, "name": f"<{user}>", **ADDRESS}])
    assert (await world.client.get("/api/users/a")).json()["name"] == "<a>"
    assert (await world.client.get("/api/users/a%2F")).json()["name"] == "<a/>"
    assert (await world.client.get("/api/users/a/b")).json()["name"] == "<a/b>"
    assert (await world.client.get("/api/users/a%252Fb")).status_code == 404


@pytest.mark.parametrize("user", HIDDEN)
async def test_what_nobody_can_see_is_no_id(world: World, user: str) -> None:
    put = await world.client.put(at(user), json=ADDRESS, headers={"If-None-Match": "*"})
    assert list(errors_of(put).values()) == ["bad_character"]
    for recipients in ([user], [{"userId": user, **ADDRESS}]):
        answer = await world.client.post("/api/notifications", json={**INLINE, "recipients": recipients})
        assert answer.status_code == 422, answer.text
    answer = await world.client.post(
        "/api/notifications",
        json={k: v for k, v in INLINE.items() if k != "recipients"} | {"recipientId": user},
    )
    assert list(errors_of(answer)) == ["/recipientId"]
    assert world.rows.users == {}


@pytest.mark.parametrize("user", [*HIDDEN, ".", "..", "/"])
async def test_one_that_was_kept_in_earlier_days_is_found_and_goes(world: World, user: str) -> None:
    update = UserUpdate(user_id=user, email="ada@example.com")
    assert (await world.app.services.update_users([update]))[0].outcome == "written"
    if user.strip("./"):
        assert (await world.client.get(at(user))).json()["id"] == user
        assert (await world.client.delete(at(user))).status_code == 204
        await world.app.services.update_users([update])
    answer = await world.client.post("/api/users:erase", json={"userId": user})
    assert answer.json()["erased"] == 1


@pytest.mark.parametrize("said", HIDDEN)
@pytest.mark.parametrize("member", ["notificationType", "templateId", "createdBy", "idempotencyKey"])
async def test_names_are_what_they_look_like(client: httpx.AsyncClient, member: str, said: str) -> None:
    answer = await client.post("/api/notifications", json={**INLINE, member: said})
    assert f"/{member}" in errors_of(answer)


@pytest.mark.parametrize(
    ("url", "body", "pointer"),
    [
        ("/api/templates", {"id": "abc\n"}, "/id"),
        ("/api/templates", {"id": "ab\x1bc"}, "/id"),
        ("/api/templates", {"id": "t", "name": "a\u202eb"}, "/name"),
        ("/api/templates", {"id": "t", "channelType": "email\n"}, "/channelType"),
        ("/api/dead-letters:replay", {"group": "0123456789abcdef\n"}, "/group"),
        ("/api/dead-letters:replay", {"deliveryIds": ["0198f7a0000070008000000000000000"]}, "/deliveryIds/0"),
        (
            "/api/dead-letters:replay",
            {"notificationId": "0198f7a0-0000-7000-8000-000000000000\n"},
            "/notificationId",
        ),
    ],
)
async def test_a_pattern_ends_at_the_end(
    client: httpx.AsyncClient, url: str, body: dict[str, object], pointer: str
) -> None:
    whole = {"name": "n", "channelType": "email"} if url == "/api/templates" else {}
    assert pointer in errors_of(await client.post(url, json=whole | body))


@pytest.mark.parametrize(
    "spelled", ["0198f7a0000070008000000000000000", "0198f7a0-0000-7000-8000-00000000000"]
)
async def test_an_id_in_a_query_has_one_spelling(client: httpx.AsyncClient, spelled: str) -> None:
    code = "bad_type" if len(spelled) == 32 else "bad_value"
    for path in ("/api/dead-letters", "/api/attempts"):
        assert errors_of(await client.get(f"{path}?notification={spelled}")) == {"notification": code}
