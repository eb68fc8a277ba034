"""Templates over REST: immutable versions, one in use, nobody overwrites what they have not seen."""

import httpx
import pytest

from entrypoints.http.template.bodies import TEMPLATE as EXAMPLES
from entrypoints.http.template.bodies import TEMPLATE_VERSIONS
from tests.api.world import TEMPLATE, World, errors_of

URL = "/api/templates/order_confirmation_email"
VERSION = {name: value for name, value in TEMPLATE.items() if name != "id"}


async def put(client: httpx.AsyncClient, tag: str | None, **changes: object) -> httpx.Response:
    headers = {} if tag is None else {"If-Match": tag}
    return await client.put(URL, json={**VERSION, **changes}, headers=headers)


async def test_a_template_is_created_and_read(world: World) -> None:
    made = await world.template()
    assert made.status_code == 201
    assert made.headers["location"] == URL
    read = await world.client.get(URL)
    assert read.status_code == 200
    assert read.json() == made.json()
    assert read.headers["etag"] == made.headers["etag"] == '"1.1"'
    shown = read.json()
    assert (shown["version"], shown["activeVersion"], shown["latestVersion"]) == (1, 1, 1)
    assert shown["isActive"] is True
    assert shown["subjectTemplate"] == TEMPLATE["subjectTemplate"]
    assert shown["htmlBodyTemplate"] is None
    assert shown["variables"]["items"] == {"required": False, "default": [], "description": ""}


async def test_the_examples_of_the_contract_are_accepted(client: httpx.AsyncClient) -> None:
    for body in EXAMPLES.values():
        assert (await client.post("/api/templates", json=body)).status_code == 201
    for body in TEMPLATE_VERSIONS.values():
        assert (await client.put(URL, json=body, headers={"If-Match": '"1.1"'})).status_code == 200


async def test_what_exists_is_not_created_again(world: World) -> None:
    await world.template()
    assert errors_of(await world.template(), 409) == {}


async def test_a_new_version_leaves_the_old_one_alone(world: World) -> None:
    await world.template()
    saved = await put(world.client, '"1.1"', subjectTemplate="Yours: {{ orderId }}")
    assert saved.status_code == 200
    assert saved.headers["etag"] == '"2.2"'
    assert (saved.json()["version"], saved.json()["activeVersion"]) == (2, 2)
    old = (await world.client.get(f"{URL}/versions/1")).json()
    assert old["subjectTemplate"] == TEMPLATE["subjectTemplate"]
    assert (old["isActive"], old["activeVersion"]) == (False, 2)


async def test_a_version_can_wait(world: World) -> None:
    await world.template()
    saved = await put(world.client, '"1.1"', isActive=False)
    assert saved.headers["etag"] == '"2.1"'
    assert saved.json()["isActive"] is False
    used = await world.client.post(f"{URL}/activate", json={"version": 2}, headers={"If-Match": '"2.1"'})
    assert used.status_code == 200
    assert used.headers["etag"] == '"2.2"'


async def test_an_earlier_version_can_come_back(world: World) -> None:
    await world.template()
    await put(world.client, '"1.1"')
    back = await world.client.post(f"{URL}/activate", json={"version": 1}, headers={"If-Match": '"2.2"'})
    assert back.json()["activeVersion"] == 1
    latest = await world.client.post(f"{URL}/activate", json={}, headers={"If-Match": '"2.1"'})
    assert latest.json()["activeVersion"] == 2


async def test_a_template_can_be_switched_off(world: World) -> None:
    await world.template()
    off = await world.client.post(f"{URL}/deactivate", headers={"If-Match": '"1.1"'})
    assert off.status_code == 200
    assert off.headers["etag"] == '"1.0"'
    assert off.json()["activeVersion"] is None
    asked = await world.client.post(
        "/api/notifications",
        json={
            "notificationType": "x",
            "templateId": TEMPLATE["id"],
            "recipientId": "1",
            "data": {"orderId": "1", "total": 1},
        },
    )
    assert errors_of(asked) == {"/templateId": "unknown_template"}


@pytest.mark.parametrize(
    ("tag", "status"),
    [
        (None, 428),
        ('"0.0"', 412),
        ('"1.0"', 412),
        ('W/"1.1"', 412),
        ("1.1", 412),
        ('"1.1"', 200),
        ('"9.9", "1.1"', 200),
        ("*", 200),
    ],
)
@pytest.mark.parametrize("how", ["put", "activate", "deactivate"])
async def test_only_what_was_seen_is_changed(world: World, how: str, tag: str | None, status: int) -> None:
    await world.template()
    headers = {} if tag is None else {"If-Match": tag}
    if how == "put":
        answer = await world.client.put(URL, json=VERSION, headers=headers)
    else:
        answer = await world.client.post(f"{URL}/{how}", json={}, headers=headers)
    assert answer.status_code == status, answer.text
    if status != 200:
        assert errors_of(answer, status) == {}
        assert answer.headers["etag"] == '"1.1"'
        assert len(world.rows.templates[TEMPLATE["id"]]) == 1
        assert world.rows.active_templates[TEMPLATE["id"]] == 1


async def test_every_error_of_a_template_is_told_at_its_place(world: World) -> None:
    answer = await world.template(
        channelType="pigeon",
        subjectTemplate="{{ orderId",
        bodyTemplate="{{ nobody }}",
        htmlBodyTemplate="{% include 'x' %}",
        variables={"orderId": {}, "total": {}, "items": {}},
    )
    places = errors_of(answer)
    assert places["/channelType"] == "unknown_channel"
    assert {"/subjectTemplate", "/bodyTemplate", "/htmlBodyTemplate"} <= places.keys()
    assert not world.rows.templates


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"id": "../etc"}, {"/id": "bad_format"}),
        ({"name": None}, {"/name": "bad_type"}),
        ({"variables": {"a": {"requird": True}}}, {"/variables/a/requird": "unknown_field"}),
        ({"variables": ["a"]}, {"/variables": "bad_type"}),
        ({"subject": "x"}, {"/subject": "unknown_field"}),
    ],
)
async def test_the_shape_of_a_template(
    world: World, changes: dict[str, object], expected: dict[str, str]
) -> None:
    assert errors_of(await world.template(**changes)) == expected


async def test_templates_are_listed_by_channel_and_page(world: World) -> None:
    for name, channel in (("b", "sms"), ("a", "email"), ("c", "email")):
        subject = {"subjectTemplate": None} if channel == "sms" else {}
        await world.template(id=name, channelType=channel, **subject)
    first = await world.client.get("/api/templates?limit=2")
    assert [item["id"] for item in first.json()["items"]] == ["a", "b"]
    second = await world.client.get(first.links["next"]["url"])
    assert [item["id"] for item in second.json()["items"]] == ["c"]
    email = await world.client.get("/api/templates?channel=email")
    assert [(item["id"], item["activeVersion"]) for item in email.json()["items"]] == [("a", 1), ("c", 1)]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/templates/nope"),
        ("GET", "/api/templates/%00"),
        ("GET", f"{URL}/versions/2"),
        ("GET", f"{URL}/versions/0"),
        ("GET", f"{URL}/versions/99999999999999"),
        ("GET", f"{URL}/versions/x"),
        ("PUT", "/api/templates/nope"),
        ("POST", "/api/templates/nope/activate"),
        ("POST", "/api/templates/nope/deactivate"),
    ],
)
async def test_there_is_no_such_template(world: World, method: str, path: str) -> None:
    await world.template()
    body = {"PUT": VERSION, "POST": {}}.get(method)
    assert errors_of(await world.client.request(method, path, json=body), 404) == {}


async def test_there_is_no_such_version_to_activate(world: World) -> None:
    await world.template()
    answer = await world.client.post(f"{URL}/activate", json={"version": 7}, headers={"If-Match": '"1.1"'})
    assert errors_of(answer, 404) == {}


@pytest.mark.parametrize(
    "source",
    [
        "{{ -1e400 }}", "{{ 1e400 }}", "{% set x = -1e999999 %}", "{{ [1e400] }}", "{{ {'a': 1e400} }}",
        "{{ " + "9" * 5_000 + " }}", "{{ 0x" + "f" * 5_000 + " }}", "{{ 1e }}", "{{ 1_ }}",
        "{{ 10 ** 10 ** 10 }}", "{{ range(10 ** 9) }}", "{{ '\\ud800' }}", "{{ '\\N{nothing}' }}",
        "{{ " + "(" * 9_000 + "1" + ")" * 9_000 + " }}", "{{ " + "not " * 9_000 + "1 }}", "{{ [" * 3_000,
        "{{ 1" + " + 1" * 9_000 + " }}", "{{ a" + ".a" * 9_000 + " }}", "{{ " + "-" * 9_000 + "1 }}",
        "{% if a %}" * 9_000, "{% for i in a %}" * 200 + "{% endfor %}" * 200,
        "{{ a|upper" + "|upper" * 9_000 + " }}", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{{ a.__class__ }}", "{% set a %}", "{{ loop }}", "{% raw %}x", "{# x", "{{ a[1:2] }}", "{% endif %}",
    ],
)  # fmt: skip
async def test_whatever_stands_in_a_template_is_saved_or_told(world: World, source: str) -> None:
    for part in ("subjectTemplate", "bodyTemplate", "htmlBodyTemplate"):
        answer = await world.template(**{part: source, "variables": {"a": {}}, "id": part.lower()})
        assert f"/{part}" in errors_of(answer)
