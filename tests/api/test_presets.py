"""Presets over the API: what is listed can be saved as it is."""

import httpx
import pytest

from config.catalog import load_presets


async def test_presets_are_listed(client: httpx.AsyncClient) -> None:
    items = (await client.get("/api/provider-presets")).json()["items"]
    assert [item["name"] for item in items] == sorted(preset.name for preset in load_presets())
    assert {"whatsapp", "telegram", "slack", "discord", "teams"} <= {item["name"] for item in items}


@pytest.mark.parametrize("name", [preset.name for preset in load_presets()])
async def test_a_preset_becomes_a_provider_as_it_is(client: httpx.AsyncClient, name: str) -> None:
    items = {item["name"]: item for item in (await client.get("/api/provider-presets")).json()["items"]}
    made = await client.put(f"/api/providers/{name}", json=items[name]["description"])
    assert made.status_code == 201, made.text
    assert made.json()["description"] == items[name]["description"]
    channel = {"providers": [name], "addressedBy": items[name]["addressedBy"]}
    assert (await client.put(f"/api/channels/{name}", json=channel)).status_code == 201
