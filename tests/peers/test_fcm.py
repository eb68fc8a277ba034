"""FCM: what we send against Google's own description of it (PyPI `google-api-python-client` has it), and our
signed assertion beside that of `google-auth`.

No server of Google's runs here, and its own client of FCM (`firebase-admin`) speaks to no other host: that
the look-alike answers as FCM does is shown by nobody but its documentation.
"""

from importlib.resources import files
from typing import Any

import jsonschema_rs
import jwt
import msgspec
import pytest
from google.oauth2.service_account import Credentials

from adapters.providers.push.fcm import SCOPE, TOKEN_URL
from tests.contract.gateway import message
from tests.support.clock import HandClock
from tests.support.fcm import TAKEN, document, fcm, key

DOCUMENTS = files("googleapiclient") / "discovery_cache" / "documents"
EVERYTHING = {
    "data": {"order": "7"},
    "image": "https://shop.test/a.png",
    "link": "https://shop.test/orders/7",
    "badge": 1,
    "sound": "ding",
    "collapseKey": "order-7",
    "ttl": "PT60S",
    "urgency": "high",
}


def description() -> dict[str, Any]:
    described: dict[str, Any] = msgspec.json.decode((DOCUMENTS / "fcm.v1.json").read_bytes())
    return described


def schema() -> jsonschema_rs.Validator:
    """The request's schema; members that it does not have are wrong."""
    known = {name: _strict(each) for name, each in description()["schemas"].items()}
    return jsonschema_rs.validator_for({"$ref": "#/$defs/SendMessageRequest", "$defs": known})


def _strict(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    strict = {
        name: f"#/$defs/{value}" if name == "$ref" else _strict(value)
        for name, value in node.items()
        if name in {"$ref", "type", "properties", "additionalProperties", "items", "enum"}
    }
    if isinstance(strict.get("properties"), dict):
        strict["properties"] = {name: _strict(value) for name, value in node["properties"].items()}
        strict["additionalProperties"] = False
    if node.get("type") == "any":
        del strict["type"]
    return strict


@pytest.mark.parametrize("parts", [{}, {"urgency": "normal"}, {"link": "shop://orders/7"}, EVERYTHING])
async def test_what_we_send_is_what_google_describes(parts: dict[str, Any]) -> None:
    async with fcm(TAKEN) as (gateway, there, _):
        await gateway.send(message(parts=parts))
    described = description()["resources"]["projects"]["resources"]["messages"]["methods"]["send"]
    assert described["httpMethod"] == "POST"
    assert there.asked[0].path == "/" + described["path"].replace("{+parent}", "projects/shop-1234")
    schema().validate(there.asked[0].json())


@pytest.mark.parametrize(
    "wrong",
    [
        {"message": {"token": "x", "notification": {"titel": "x"}}},
        {"message": {"token": "x", "data": {"order": 7}}},
        {"message": {"token": "x", "android": {"priority": "URGENT"}}},
    ],
)
def test_what_google_does_not_describe_is_seen(wrong: dict[str, Any]) -> None:
    assert not schema().is_valid(wrong)


async def test_google_signs_the_same_assertion() -> None:
    account = document(TOKEN_URL)
    theirs = Credentials.from_service_account_info(account, scopes=[SCOPE])
    async with fcm(TAKEN) as (gateway, _, google):
        await gateway.send(message())
    form = dict(each.split("=") for each in google.asked[0].body.decode().split("&"))
    ours = form["assertion"]
    made = theirs._make_authorization_grant_assertion().decode()
    assert _claims(ours, HandClock()) == _claims(made, None)
    assert jwt.get_unverified_header(ours) == jwt.get_unverified_header(made)


def _claims(token: str, clock: HandClock | None) -> dict[str, Any]:
    """The claims, with times since the token was made."""
    claims: dict[str, Any] = jwt.decode(
        token, key().public_key(), ["RS256"], audience=TOKEN_URL, options={"verify_exp": clock is None}
    )
    made = claims.pop("iat")
    assert clock is None or made == clock.now().timestamp()
    return claims | {"exp": claims["exp"] - made}
