"""Providers over REST: how they stand, and what an operator decides about one."""

from tests.api.world import World, errors_of

SANDBOX = "/api/providers/sandbox:force"


async def standing(world: World, name: str = "sandbox") -> dict[str, object]:
    rows = (await world.client.get("/api/providers")).json()["items"]
    [found] = [row for row in rows if row["name"] == name]
    return dict(found)


async def test_every_account_is_listed_with_what_it_can_do(world: World) -> None:
    row = await standing(world)
    assert (row["kind"], row["stopped"], row["forced"]) == ("sandbox", None, None)
    assert row["capabilities"]["batch_max"] == 1  # type: ignore[index]


async def test_an_operator_decides_and_takes_it_back(world: World) -> None:
    decided = await world.client.post(SANDBOX, json={"state": "open", "reason": "a test"})
    assert decided.status_code == 200
    assert decided.json() == {"state": "open", "reason": "a test", "actor": "key:live", "until": None}
    row = await standing(world)
    assert (row["stopped"], row["forced"]) == ("forced", decided.json())
    await world.client.post(SANDBOX, json={"state": "auto", "reason": "over"})
    row = await standing(world)
    assert (row["stopped"], row["forced"]) == (None, None)


async def test_what_cannot_be_decided_is_named(world: World) -> None:
    wrong = await world.client.post(SANDBOX, json={"state": "ajar", "until": "2020-01-01T00:00:00Z"})
    assert set(errors_of(wrong)) == {"/state", "/reason"}
    past = {"state": "open", "reason": "x", "until": "2020-01-01T00:00:00Z"}
    assert set(errors_of(await world.client.post(SANDBOX, json=past))) == {"/until"}
    unknown = await world.client.post("/api/providers/nobody:force", json={"state": "open", "reason": "x"})
    assert unknown.status_code == 404
    assert (await world.client.post("/api/providers/sandbox:kick", json={})).status_code == 404
