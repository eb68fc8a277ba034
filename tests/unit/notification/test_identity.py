"""Which commands are the same: golden vectors of this release and of the first, keys that never run into one.

`golden_commands.json` beside this file holds commands as the first release sealed them (their JSON), with the
digests that it stored for them, and the digests of today.
"""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.crypto.vault import LocalVault
from application.intake.command import Command, seal, unseal
from application.notification import identity
from application.notification.ports import LegacyKey
from domain.kernel.channel import Mode
from domain.kernel.errors import Undecodable
from domain.notification.request import Request
from domain.trigger.trigger import ShopEvent, To, Trigger, request
from tests.unit.intake.promising import IDS
from tests.unit.intake.promising import request as asked

VAULT = LocalVault.from_master(b"golden" * 6)
GOLDEN: dict[str, Any] = json.loads(
    (Path(__file__).parent / "golden_commands.json").read_text(encoding="utf-8")
)
ORDER = ShopEvent(
    id="1",
    source="urn:shop:a",
    type="order.created",
    data={
        "orderId": "7",
        "userId": "456",
        "total": 4514.275,
        "items": [{"n": 1.5, "ok": True, "x": None}],
    },
)
TRIGGERS = {
    "an order": Trigger(
        id="order_created",
        event="order.created",
        type="order_confirmation",
        template="t",
        key="{data.orderId}",
        to=To(user_id="data.userId"),
    ),
    "an event whose parts have colons": Trigger(id="welcome", event="order.created", type="w", template="t"),
    "a long key": Trigger(id="long", event="order.created", type="w", template="t", key="{source}/{id}"),
}


def of_today(name: str, before: Request) -> Request:
    """The same command, asked of this release."""
    if name not in TRIGGERS:
        return before
    event = msgspec.structs.replace(ORDER, source="/" + "s" * 400) if name == "a long key" else ORDER
    return request(TRIGGERS[name], event)


def sealed_before(name: str) -> Command:
    """As drained from the queue: what the first release sealed, opened by this one."""
    command = GOLDEN[name]["command"]
    id_ = UUID(command["id"])
    sealed = VAULT.seal(json.dumps(command).encode(), b"intake.command:" + id_.bytes)
    return unseal(msgspec.json.encode({"v": 1, "id": id_, "sealed": sealed}), VAULT)


@pytest.mark.parametrize("name", GOLDEN)
def test_what_the_first_release_stored_is_recognised(name: str) -> None:
    command = sealed_before(name)
    today = of_today(name, command.request)
    assert command.fingerprint == bytes.fromhex(GOLDEN[name]["fingerprint"])
    assert command.fingerprint in identity.fingerprints(VAULT, command.request)
    assert command.fingerprint in identity.fingerprints(VAULT, today)
    known = UUID(hex=GOLDEN[name]["key"])
    legacy_key = identity.legacy_key(VAULT, today)
    if name in TRIGGERS:
        sure = name == "an order"
        assert legacy_key == LegacyKey(known, None if sure else command.fingerprint)
    elif name == "inline for a guest":  # its key over REST passed for that of a trigger
        assert legacy_key == LegacyKey(known, command.fingerprint)
    else:
        assert legacy_key is None


def test_a_key_of_rest_is_the_same_in_every_release_unless_it_passed_for_that_of_a_trigger() -> None:
    plain, sly = (sealed_before(name) for name in ("a template for a customer", "inline for a guest"))
    assert identity.digest(VAULT, plain.request) == plain.key
    assert str(sly.request.idempotency_key).startswith("trigger:")
    assert identity.digest(VAULT, sly.request) != sly.key


@pytest.mark.parametrize("name", GOLDEN)
def test_the_digests_of_today_stay(name: str) -> None:
    today = of_today(name, sealed_before(name).request)
    digest = identity.digest(VAULT, today)
    assert digest is not None
    now = {"key": digest.hex, "fingerprint": identity.fingerprints(VAULT, today)[0].hex()}
    assert now == GOLDEN[name]["today"]


class Grown(Request, frozen=True, kw_only=True, omit_defaults=True):
    """A request of a later release, with one more optional member."""

    schedule: str | None = None


def test_a_new_optional_member_changes_no_fingerprint_until_somebody_uses_it() -> None:
    plain = asked(idempotency_key="k")
    fields = msgspec.structs.asdict(plain)
    assert identity.fingerprints(VAULT, Grown(**fields)) == identity.fingerprints(VAULT, plain)
    used = Grown(**fields, schedule="tomorrow")
    assert identity.fingerprints(VAULT, used)[0] != identity.fingerprints(VAULT, plain)[0]


@pytest.mark.parametrize("where", ["", "request", "request.recipients.0", "request.content"])
def test_a_member_of_a_later_release_is_refused_not_dropped(where: str) -> None:
    command = json.loads(json.dumps(GOLDEN["inline for a guest"]["command"]))
    at = command
    for step in filter(None, where.split(".")):
        at = at[int(step) if step.isdigit() else step]
    at["schedule"] = "tomorrow"
    id_ = UUID(command["id"])
    sealed = VAULT.seal(json.dumps(command).encode(), b"intake.command:" + id_.bytes)
    with pytest.raises(Undecodable):
        unseal(msgspec.json.encode({"v": 1, "id": id_, "sealed": sealed}), VAULT)


def test_what_is_sealed_today_is_opened_whole() -> None:
    command = Command(
        id=IDS.next(),
        request=request(TRIGGERS["an order"], ORDER),
        channel="email",
        template_version=3,
        key=None,
        fingerprint=b"f" * 16,
    )
    assert unseal(seal(command, VAULT), VAULT) == command


texts = st.text(alphabet="a:1{}%-/", min_size=1, max_size=6).filter(lambda text: text.strip())


@given(st.lists(st.tuples(texts, texts), min_size=2, max_size=2, unique=True))
@pytest.mark.parametrize("pattern", ["{source}:{id}", "{source}{id}", "{source}-{id}", "x{source}:{id}:y"])
def test_two_events_have_one_key_only_when_their_parts_are_the_same(
    pattern: str, events: list[tuple[str, str]]
) -> None:
    trigger = msgspec.structs.replace(TRIGGERS["an order"], key=pattern)
    asked = [
        request(trigger, msgspec.structs.replace(ORDER, source=source, id=id_)) for source, id_ in events
    ]
    one, other = (identity.digest(VAULT, each) for each in asked)
    assert one != other
    # In one text, as before, they may run into one; then neither is taken for the other without more proof.
    before = [each.idempotency_key for each in asked]
    assert before[0] != before[1] or not all(each.derived and each.derived.certain for each in asked)


def test_name_spaces_do_not_meet() -> None:
    of_event = request(TRIGGERS["an order"], ORDER)
    of_shop = asked(idempotency_key=of_event.idempotency_key)
    digests = [
        identity.digest(VAULT, each) for each in (of_event, of_shop, asked(idempotency_key="7"), asked())
    ]
    legacy_key = identity.legacy_key(VAULT, of_event)
    assert legacy_key is not None
    live = [*digests[:3], legacy_key.key]
    assert len(set(live)) == 4
    assert digests[3] is None
    test = msgspec.structs.replace(of_event, mode=Mode.TEST)
    assert identity.digest(VAULT, test) != digests[0]
