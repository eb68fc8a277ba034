"""What becomes of promises; over REST, with aliases and reasons: tests/api/test_degraded.py."""

import msgspec
import pytest

from adapters.crypto.vault import LocalVault
from application.intake.command import Command, seal, unseal
from application.intake.commit import IntakeOutcome
from domain.kernel.errors import StoreUnavailable, Undecodable
from domain.kernel.ids import time_of
from domain.notification.request import Recipient
from domain.template.template import Template
from tests.support.memory.intake_ids import MemoryIntakeIds
from tests.unit.intake.promising import AWAY, IDS, VAULT, Desk, request

TEMPLATE = Template(id="t", version=0, name="T", channel="email", body="words")


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def promised(desk: Desk, *requests: object) -> list[object]:
    desk.before = AWAY
    answers = await desk.submit.many(requests)
    desk.before = None
    return [answer.id for answer in answers]


async def test_a_promise_is_committed_as_of_the_time_it_was_made(desk: Desk) -> None:
    [id_] = await promised(desk, request())
    assert await desk.drained() == ["committed"]
    assert desk.rows.notifications[id_].created_at == time_of(id_)
    assert len(desk.rows.deliveries_of(id_)) == 1


async def test_drained_again_it_stays_one(desk: Desk) -> None:
    await promised(desk, request(idempotency_key="k"), request())
    desk.published *= 2
    assert await desk.drained() == ["committed"] * 4
    assert await desk.drained() == ["committed"] * 4
    assert len(desk.rows.notifications) == len(desk.rows.outbox) == 2


async def test_a_client_that_came_again_when_the_database_was_back_has_the_winner(desk: Desk) -> None:
    [alias] = await promised(desk, request(idempotency_key="k"))
    desk.clock.seconds += 1
    winner = (await desk.submit(request(idempotency_key="k"))).id
    assert await desk.drained() == ["absorbed"]
    assert desk.rows.aliases == {alias: winner}
    assert list(desk.rows.notifications) == [winner]


async def test_what_cannot_be_opened_is_for_an_operator_and_harms_no_neighbour(desk: Desk) -> None:
    command = Command(
        id=IDS.next(), request=request(), channel="email", template_version=None, key=None, fingerprint=b""
    )
    elsewhere = LocalVault.from_master(b"o" * 32)
    moved = msgspec.json.decode(seal(command, VAULT)) | {"id": str(IDS.next())}
    bodies = [
        b"nonsense",
        b"\xff",
        b'{"v": 2, "id": "01890000-0000-7000-8000-000000000000", "sealed": ""}',
        b'{"v": 1, "id": "01890000-0000-7000-8000-000000000000", "sealed": ""}',
        seal(command, elsewhere),
        msgspec.json.encode(moved),
        seal(command, VAULT),
    ]
    ends = await desk.commit_intake(bodies)
    assert [type(end) for end in ends] == [Undecodable] * 6 + [IntakeOutcome]
    assert "version 2" in str(ends[2])
    assert list(desk.rows.notifications) == [command.id]


class AwayIntakeIds(MemoryIntakeIds):
    """Cannot be written."""

    async def alias(self, winners: object) -> None:
        raise AWAY

    async def fail(self, failed: object) -> None:
        raise AWAY


async def test_what_cannot_be_written_is_for_later(desk: Desk) -> None:
    same, other = request(idempotency_key="k"), request(idempotency_key="k", type="another")
    await promised(desk, same, same, other)
    desk.before = AWAY
    assert await desk.drained() == ["StoreUnavailable"] * 3
    desk.before = None
    intake_ids, desk.commit_intake = desk.commit_intake.intake_ids, _with(desk, AwayIntakeIds(rows=desk.rows))
    assert await desk.drained() == ["committed", "StoreUnavailable", "StoreUnavailable"]
    desk.commit_intake = _with(desk, intake_ids)
    assert await desk.drained() == ["committed", "absorbed", "failed"]


def _with(desk: Desk, intake_ids: object) -> object:
    commit_intake = desk.commit_intake
    return type(commit_intake)(
        key=commit_intake.key,
        prepare=commit_intake.prepare,
        commit=commit_intake.commit,
        intake_ids=intake_ids,
    )


async def test_a_reason_quotes_no_recipient(desk: Desk) -> None:
    command = Command(
        id=IDS.next(),
        request=request(recipients=(Recipient(email="canary-not-an-address"),)),
        channel="email",
        template_version=None,
        key=None,
        fingerprint=b"",
    )
    [end] = await desk.commit_intake([seal(command, VAULT)])
    assert end == IntakeOutcome(command.id, "failed")
    assert desk.rows.notifications[command.id].reason == "/recipients/0/email: bad_email"


async def test_a_fault_of_our_own_is_told_and_harms_no_neighbour(desk: Desk) -> None:
    first, second = await promised(desk, request(), request(recipients=(Recipient(user_id="7"),)))
    user = desk.submit.prepare.vault
    assert user is VAULT
    command = unseal(desk.published[1].body, VAULT)
    [resolved] = (await desk.submit.prepare(command.request)).resolved_recipients
    keys = desk.inner.keys

    async def broken(users):
        return {
            **await keys(users),
            **({resolved.user: b"\x01no key"} if resolved.user in users else {}),
        }

    desk.keys = broken
    assert await desk.drained() == ["committed", "Unreadable"]
    assert first in desk.rows.notifications
    assert second not in desk.rows.notifications


async def test_nothing_is_silent_when_a_failure_cannot_be_stored(desk: Desk) -> None:
    bad = request(type="a\0b", recipients=(Recipient(email="nonsense"),))
    command = Command(
        id=IDS.next(), request=bad, channel="email", template_version=None, key=None, fingerprint=b""
    )
    good = msgspec.structs.replace(command, id=IDS.next(), request=request(recipients=()))
    ends = await desk.commit_intake([seal(command, VAULT), seal(good, VAULT)])
    assert [type(end).__name__ for end in ends] == ["Invalid", "IntakeOutcome"]
    assert isinstance(ends[1], IntakeOutcome)
    assert desk.rows.notifications[good.id].reason is not None


async def test_an_absent_database_is_not_mistaken_for_a_failed_promise(desk: Desk) -> None:
    await promised(desk, request())
    desk.before = StoreUnavailable("gone again")
    assert await desk.drained() == ["StoreUnavailable"]
    assert desk.rows.notifications == {}
