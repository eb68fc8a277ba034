"""Every route with every kind of key: what belongs to the other mode is neither seen nor changed.

The cases are made from the routes themselves and from the rule that holds for their path: a route that keeps
another one, or lacks its guard, fails here.
"""

from copy import deepcopy
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest
from litestar.routes import HTTPRoute

from domain.kernel.channel import Mode
from entrypoints.http.access import live_key
from entrypoints.http.app import build_app
from entrypoints.http.kit.openapi.declared import declared_by
from entrypoints.http.notification_type.bodies import NOTIFICATION_TYPE
from entrypoints.http.provider.description import DESCRIPTION
from tests.api.operating import ended, held
from tests.api.world import RECENT, TEMPLATE, World, errors_of
from tests.support.memory.rows import DeliveryRow

GOVERNING = ("/api/templates", "/api/notification-types", "/api/triggers", "/api/channels", "/api/provider")
DROP = "/api/channels/{channel}/drop"
"""Gives up what waits, of the key's mode."""
DRY = "/api/notifications?dry_run=true"
EMAIL = "{mode}@example.com"
TOKEN = "740f4707" * 8
TRIGGER = {
    "event": "order.created",
    "notificationType": "order_confirmation",
    "templateId": TEMPLATE["id"],
    "to": {"userId": "data.userId"},
}


[PROVIDER] = DESCRIPTION.values()


class Rule(StrEnum):
    """Who may use a route, and what they reach by it."""

    OWN = "own"
    """Both kinds of key; each sees and changes what belongs to its own mode, and nothing else is there."""
    SHARED = "shared"
    """Both kinds of key, what they read is the same; nothing is changed."""
    LIVE = "live"
    """Live keys: what is changed governs live messages."""


@dataclass(frozen=True, slots=True)
class Tried:
    """A route, as the tests try it."""

    method: str
    path: str
    example: Any
    """A body; None: it takes none."""
    conditional: bool
    """Whether it asks for `If-Match`."""
    guarded: bool

    @property
    def rule(self) -> Rule:
        """What must hold for it."""
        if not self.path.startswith(GOVERNING) or self.path == DROP:
            return Rule.OWN
        return Rule.SHARED if self.method == "GET" else Rule.LIVE

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def _routes() -> list[Tried]:
    found = [
        Tried(
            method,
            route.path_format,
            next(iter(declared_by(handler).examples.values()), None),
            "preconditions" in handler.parsed_fn_signature.parameters,
            live_key in (handler.guards or ()),
        )
        for route in build_app().routes
        if isinstance(route, HTTPRoute) and route.path_format.startswith("/api")
        for handler in route.route_handlers
        for method in handler.http_methods - {"HEAD", "OPTIONS"}
    ]
    return sorted(found, key=str)  # handlers come in another order in each process


ROUTES = _routes()


@dataclass(slots=True)
class Belongings:
    """What there is of one mode."""

    mode: Mode
    headers: dict[str, str]
    user: str
    notification: UUID
    letter: DeliveryRow
    rests: DeliveryRow
    job: str

    @property
    def signs(self) -> tuple[str, ...]:
        """What tells of it in an answer."""
        ids = (self.notification, self.letter.id, self.letter.notification_id, self.rests.id, self.job)
        return (*map(str, ids), EMAIL.format(mode=self.mode), f"only_{self.mode}")


async def _belongings(world: World, mode: Mode) -> Belongings:
    headers = world.as_test() if mode is Mode.TEST else {"Authorization": f"Bearer {world.live_key}"}
    test = mode is Mode.TEST
    user = {"email": EMAIL.format(mode=mode), "name": f"only_{mode}"}
    put = await world.client.put(
        "/api/users/456", json=user, headers={**headers, "If-None-Match": "*"}
    )  # both modes know a customer of this id
    assert put.status_code == 201, put.text
    put = await world.client.put(f"/api/users/456/devices/{TOKEN}", json={"platform": "ios"}, headers=headers)
    assert put.status_code == 200, put.text
    letter = await ended(world, test=test, metadata={"of": mode}, reason=f"550 only_{mode}")
    rests = await held(world, test=test)
    queued = await world.client.post(
        "/api/notifications",
        json={"notificationType": f"only_{mode}", "channelType": "email", "recipientId": "456"}
        | {"subject": "s", "body": "b"},
        headers=headers,
    )
    job = await world.client.post("/api/dead-letters:replay", json={"all": True}, headers=headers)
    assert job.status_code == 202, job.text
    return Belongings(mode, headers, "456", UUID(queued.json()["id"]), letter, rests, job.json()["id"])


def _of(world: World, mode: Mode) -> dict[str, Any]:
    """All rows of a mode, and what governs both."""
    rows = world.rows
    notifications = {key: row for key, row in rows.notifications.items() if row.mode is mode}
    deliveries = {key: row for key, row in rows.deliveries.items() if row.notification_id in notifications}
    return deepcopy(
        {
            "users": {key: row for key, row in rows.users.items() if row.mode is mode},
            "devices": [row for row in rows.devices.values() if rows.users[row.user_id].mode is mode],
            "notifications": notifications,
            "deliveries": deliveries,
            "letters": {key: row for key, row in rows.dead_letters.items() if row.mode is mode},
            "unknown": {key: row for key, row in rows.unknown.items() if key[0] in deliveries},
            "jobs": {key: row for key, row in rows.jobs.items() if row.selection.mode == mode},
            "templates": rows.templates,
            "notification_types": rows.notification_types,
            "triggers": rows.triggers,
            "channels": rows.channels,
        }
    )


@pytest.fixture
async def both(world: World) -> dict[Mode, Belongings]:
    """A world in which both modes have something of everything."""
    assert (await world.template()).status_code == 201
    for channel, name in NOTIFICATION_TYPE["push, else a text message"]["templates"].items():
        spoken = await world.template(id=name, channelType=channel, subjectTemplate=None)
        assert spoken.status_code == 201, spoken.text
    made = await world.client.put("/api/notification-types/order_shipped", json={"channels": ["email"]})
    assert made.status_code == 201, made.text
    made = await world.client.put("/api/triggers/rule", json=TRIGGER, headers={"If-None-Match": "*"})
    assert made.status_code == 201, made.text
    made = await world.client.put("/api/providers/pigeon", json=PROVIDER)
    assert made.status_code == 201, made.text
    post = {"providers": ["sandbox"], "addressedBy": "phone"}
    made = await world.client.put("/api/channels/pigeon_post", json=post)
    assert made.status_code == 201, made.text
    found = {mode: await _belongings(world, mode) for mode in Mode}
    email = await world.client.get("/api/channels/email")
    paused = {"isPaused": True, "providers": ["sandbox"]}
    headers = {"If-Match": email.headers["etag"]}
    assert (await world.client.put("/api/channels/email", json=paused, headers=headers)).status_code == 200
    return found


def _body(tried: Tried, there: Belongings) -> bytes | None:
    match tried.path:
        case "/api/dead-letters:replay":
            return msgspec.json.encode({"deliveryIds": [there.letter.id]})
        case "/api/dead-letters:discard":
            return msgspec.json.encode({"deliveryIds": [there.letter.id], "reason": "r"})
        case "/api/users:erase":
            return msgspec.json.encode({"email": EMAIL.format(mode=there.mode), "customers": True})
    return None if tried.example is None else msgspec.json.encode(tried.example)


async def _ask(world: World, tried: Tried, *, key: Belongings, there: Belongings) -> httpx.Response:
    """Ask with one mode's key for what belongs to `there`."""
    url = tried.path
    for name, value in {
        "{notification_id}": there.notification,
        "{job_id}": there.job,
        "{user_id}": there.user,
        "{token}": TOKEN,
        "{attempt_id}": f"{there.rests.id}.{there.rests.attempt}:resolve",
        "{template_id}": TEMPLATE["id"],
        "{trigger_id}": "rule",
        "{type_id}": "order_shipped",
        "{channel}": "pigeon_post" if tried.method == "DELETE" else "email",
        "{provider}": "sandbox:force" if tried.method == "POST" else "pigeon",
        "{version}": 1,
    }.items():
        url = url.replace(name, str(value))
    assert "{" not in url, "tell this test what to put there"
    headers = dict(key.headers)
    body = _body(tried, there)
    if body is not None:
        headers["Content-Type"] = "application/json"
    if tried.conditional:
        shown = await world.client.get(
            url.removesuffix("/activate").removesuffix("/deactivate"), headers=headers
        )
        headers["If-Match"] = shown.headers.get("etag", '"1"')
    return await world.client.request(tried.method, url, content=body, headers=headers)


def test_routes_that_change_what_governs_live_messages_have_the_guard_and_no_others() -> None:
    assert len(ROUTES) > 30
    assert [str(tried) for tried in ROUTES if tried.guarded] == [
        str(tried) for tried in ROUTES if tried.rule is Rule.LIVE
    ]


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("tried", ROUTES, ids=str)
async def test_a_key_reaches_what_is_of_its_mode_and_nothing_else(
    world: World, both: dict[Mode, Belongings], tried: Tried, mode: Mode
) -> None:
    method, path, rule = tried.method, tried.path, tried.rule
    mine, theirs = both[mode], both[Mode.TEST if mode is Mode.LIVE else Mode.LIVE]
    before = _of(world, theirs.mode)

    if rule is Rule.LIVE:
        answer = await _ask(world, tried, key=mine, there=mine)
        if mode is Mode.TEST:
            assert errors_of(answer, 403) == {}
            assert _of(world, theirs.mode) == before
        else:
            expected = {200, 201, 204, 409}  # such a template is there
            expected |= {422} if path == "/api/channels/{channel}" else set()  # the channel still runs
            assert answer.status_code in expected, answer.text
        return

    answer = await _ask(world, tried, key=mine, there=theirs)
    by_id = "/api/users/{user_id}"  # both modes have one of the same id, with a device of the same token
    if rule is Rule.OWN and "{" in path and path != DROP and not path.startswith(by_id):
        assert errors_of(answer, 404) == {}
    else:
        assert answer.status_code < 300, answer.text
        assert not [sign for sign in theirs.signs if sign in answer.text]
    for job in list(world.rows.jobs):
        if method != "GET" and world.rows.jobs[job].selection.mode == mode:
            while await world.advance(job) is not None:
                pass
    erasing = (method, path) in {("POST", "/api/users:erase"), ("DELETE", by_id)}
    if not erasing or mode is Mode.TEST:  # the shop's word reaches tests, see below
        assert _of(world, theirs.mode) == before
    if path == DROP or path.startswith(by_id):
        return

    answer = await _ask(world, tried, key=mine, there=mine)
    assert answer.status_code in {200, 202, 204}, answer.text
    if method == "GET" and "{" not in path and rule is Rule.OWN:
        assert [sign for sign in mine.signs if sign in answer.text]


async def test_lists_with_filters_keep_the_modes_apart(world: World, both: dict[Mode, Belongings]) -> None:
    for mode, mine in both.items():
        theirs = both[Mode.TEST if mode is Mode.LIVE else Mode.LIVE]
        for path in (
            "/api/notifications?recipient=456",
            f"/api/notifications?status=queued&{RECENT}",
            "/api/notifications?metadata.of=" + mode,
            f"/api/users?email={EMAIL.format(mode=mode)}",
            f"/api/dead-letters?notification={mine.letter.notification_id}",
            "/api/attempts?held=true",
        ):
            page = (await world.client.get(path, headers=mine.headers)).text
            assert [sign for sign in mine.signs if sign in page], path
            assert not [sign for sign in theirs.signs if sign in page], path
        for path in (
            "/api/notifications?metadata.of=" + theirs.mode,
            f"/api/users?email={EMAIL.format(mode=theirs.mode)}",
            f"/api/dead-letters?notification={theirs.letter.notification_id}",
            f"/api/attempts?notification={theirs.rests.notification_id}",
        ):
            answer = await world.client.get(path, headers=mine.headers)
            assert answer.json()["items"] == [], path


@pytest.mark.parametrize("who", [{"userId": "456"}, {"userId": "789"}, {"email": EMAIL.format(mode="live")}])
async def test_a_recipient_of_a_test_leaves_live_rows_alone(
    world: World, both: dict[Mode, Belongings], who: dict[str, str]
) -> None:
    """Of a customer `users` knows, of one it knows nothing more of, of a guest."""
    await world.notification(recipients=["789", {"email": EMAIL.format(mode="live")}])
    before = _of(world, Mode.LIVE)
    said = {**who, "email": who.get("email", "tester@example.com"), "name": "Tester", "locale": "fr-FR"}
    answer = await world.client.post(
        "/api/notifications",
        json={
            "notificationType": "t",
            "channelType": "email",
            "subject": "s",
            "body": "b",
            "recipients": [said],
        },
        headers=world.as_test(),
    )
    assert answer.status_code == 202, answer.text
    assert _of(world, Mode.LIVE) == before
    shown = await world.client.get(
        f"/api/notifications/{answer.json()['id']}/deliveries", headers=world.as_test()
    )
    assert len(shown.json()["items"]) == 1


async def test_a_dry_run_of_a_test_key_knows_nothing_of_live_users(
    world: World, both: dict[Mode, Belongings]
) -> None:
    await world.client.put(
        "/api/users/900", json={"email": "nine@example.com", "name": "Nine"}, headers={"If-None-Match": "*"}
    )
    asked = {"notificationType": "t", "templateId": TEMPLATE["id"], "recipientId": "900"}
    data = {"data": {"orderId": "1", "total": 2}}
    [test, live] = [
        (await world.client.post(DRY, json=asked | data, headers=of.headers)).json()
        for of in (both[Mode.TEST], both[Mode.LIVE])
    ]
    assert "Nine" in str(live)
    assert "Nine" not in str(test)
    assert [each["reachable"] for each in test["rendered"]] == [False]


async def test_erasing_a_customer_reaches_what_tests_noted_of_them(
    world: World, both: dict[Mode, Belongings]
) -> None:
    assert (await world.client.delete("/api/users/456")).status_code == 204
    assert all(row.data_key is None for row in world.rows.users.values())


async def test_a_test_key_erases_persons_of_tests_alone(world: World, both: dict[Mode, Belongings]) -> None:
    before = _of(world, Mode.LIVE)
    for url in ("/api/users/456", "/api/users/456"):
        await world.client.delete(url, headers=world.as_test())
    for who in ({"userId": "456"}, {"email": EMAIL.format(mode="live"), "customers": True}):
        answer = await world.client.post("/api/users:erase", json=who, headers=world.as_test())
        assert answer.json()["erased"] == 0
    assert _of(world, Mode.LIVE) == before
