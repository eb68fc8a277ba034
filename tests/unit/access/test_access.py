"""API keys: their shape, and what is remembered of them."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.access.authenticate import Authenticate
from application.access.create_key import CreateKey
from application.access.ports import ApiKey
from application.access.secret import digest, spell, well_formed
from domain.kernel.channel import Mode
from domain.kernel.errors import StoreUnavailable
from tests.support.eventually import eventually

PEPPER = b"p" * 32


class Keys:
    """Implements `ApiKeys`, counts, and can be away."""

    def __init__(self) -> None:
        self.kept: dict[bytes, ApiKey] = {}
        self.asked = 0
        self.away = False
        self.hold: asyncio.Event | None = None

    async def add(self, key: ApiKey, digest: bytes) -> None:
        self.kept[digest] = key

    async def find(self, digest: bytes) -> ApiKey | None:
        self.asked += 1
        if self.hold is not None:
            await self.hold.wait()
        if self.away:
            raise StoreUnavailable("away")
        return self.kept.get(digest)

    async def revoke(self, key: UUID, at: datetime) -> bool:
        return False

    async def all(self) -> Sequence[ApiKey]:
        return list(self.kept.values())


class Clock:
    """Implements `Clock`; time passes when told."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds


class Ids:
    """Implements `Ids`."""

    def next(self) -> UUID:
        return uuid4()


@pytest.fixture
def keys() -> Keys:
    return Keys()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def authenticate(keys: Keys, clock: Clock) -> Authenticate:
    return Authenticate(keys=keys, clock=clock, pepper=PEPPER)


async def made(keys: Keys, clock: Clock, **options: timedelta) -> str:
    create = CreateKey(
        keys=keys, clock=clock, ids=Ids(), entropy=lambda: uuid4().bytes + uuid4().bytes, pepper=PEPPER
    )
    return (await create("shop", Mode.LIVE, **options)).secret.reveal()


@given(st.sampled_from(Mode), st.binary(min_size=32, max_size=32))
def test_a_key_tells_its_mode_and_checks_itself(mode: Mode, entropy: bytes) -> None:
    secret = spell(mode, entropy)
    assert secret.startswith(f"ph_{mode.value}_")
    assert len(secret) == len("ph_live_") + 43 + 6
    assert well_formed(secret)


@given(st.binary(min_size=32, max_size=32), st.data())
def test_a_mistyped_key_is_known_without_asking(entropy: bytes, data: st.DataObject) -> None:
    secret = spell(Mode.LIVE, entropy)
    at = data.draw(st.integers(0, len(secret) - 1))
    typo = secret[:at] + data.draw(st.sampled_from("aZ09_-é")) + secret[at + 1 :]
    assert well_formed(typo) == (typo == secret)
    assert not well_formed(secret[:at])
    assert not well_formed(secret + "0")


def test_different_randomness_makes_different_keys() -> None:
    assert spell(Mode.LIVE, bytes(32)) != spell(Mode.LIVE, bytes(31) + b"\1")
    with pytest.raises(ValueError, match="32 random bytes"):
        spell(Mode.LIVE, bytes(16))


async def test_the_secret_is_not_kept_and_not_shown(keys: Keys, clock: Clock) -> None:
    create = CreateKey(keys=keys, clock=clock, ids=Ids(), entropy=lambda: bytes(32), pepper=PEPPER)
    created = await create("shop", Mode.TEST)
    secret = created.secret.reveal()
    assert secret not in repr(created)
    assert secret not in repr(keys.kept)
    assert secret.encode() not in b"".join(keys.kept)
    assert PEPPER.decode() not in repr(create)
    assert created.key.prefix == secret[:12]
    assert digest(PEPPER, secret) in keys.kept
    assert digest(b"q" * 32, secret) not in keys.kept


async def test_a_known_key_is_asked_for_once_in_a_few_seconds(
    keys: Keys, clock: Clock, authenticate: Authenticate
) -> None:
    secret = await made(keys, clock)
    for clock.seconds in (0, 2, 4.9):
        assert await authenticate(secret) is not None
    assert keys.asked == 1
    clock.seconds = 5
    assert await authenticate(secret) is not None
    assert keys.asked == 2


async def test_a_revoked_key_fails_within_a_minute(
    keys: Keys, clock: Clock, authenticate: Authenticate
) -> None:
    secret = await made(keys, clock)
    key = await authenticate(secret)
    assert key is not None
    keys.kept[digest(PEPPER, secret)] = ApiKey(
        id=key.id, name="shop", mode=Mode.LIVE, prefix="", created_at=clock.now(), revoked_at=clock.now()
    )
    clock.seconds = 59
    assert await authenticate(secret) is None


async def test_an_expired_key_fails_at_once(keys: Keys, clock: Clock, authenticate: Authenticate) -> None:
    secret = await made(keys, clock, lifetime=timedelta(seconds=5))
    assert await authenticate(secret) is not None
    clock.seconds = 5
    assert await authenticate(secret) is None


async def test_an_unknown_key_is_asked_for_again_after_a_moment(
    keys: Keys, clock: Clock, authenticate: Authenticate
) -> None:
    secret = spell(Mode.LIVE, b"u" * 32)
    for clock.seconds in (0, 4.9):
        assert await authenticate(secret) is None
    assert keys.asked == 1
    keys.kept[digest(PEPPER, secret)] = ApiKey(
        id=uuid4(), name="new", mode=Mode.LIVE, prefix="", created_at=clock.now()
    )
    clock.seconds = 5
    assert await authenticate(secret) is not None


async def test_a_mistyped_key_is_never_asked_for(keys: Keys, authenticate: Authenticate) -> None:
    for secret in ("", "nonsense", "ph_live_" + "0" * 49, "x" * 10_000):
        assert await authenticate(secret) is None
    assert keys.asked == 0


async def test_a_known_key_outlasts_a_short_absence_of_the_database(
    keys: Keys, clock: Clock, authenticate: Authenticate
) -> None:
    secret, other = await made(keys, clock), await made(keys, clock)
    assert await authenticate(secret) is not None
    keys.away = True
    clock.seconds = 59
    assert await authenticate(secret) is not None
    with pytest.raises(StoreUnavailable):
        await authenticate(other)
    clock.seconds = 60
    with pytest.raises(StoreUnavailable):
        await authenticate(secret)


async def test_nobody_goes_on_with_a_key_that_is_too_old_while_another_asks(
    keys: Keys, clock: Clock, authenticate: Authenticate
) -> None:
    secret = await made(keys, clock)
    assert await authenticate(secret) is not None
    clock.seconds, keys.hold, keys.away = 60, asyncio.Event(), True
    asking = [asyncio.create_task(authenticate(secret)) for _ in range(5)]
    await eventually(lambda: keys.asked == 6)
    keys.hold.set()
    answers = await asyncio.gather(*asking, return_exceptions=True)
    assert [type(answer) for answer in answers] == [StoreUnavailable] * 5


async def test_of_many_requests_at_once_one_asks_again(
    keys: Keys, clock: Clock, authenticate: Authenticate
) -> None:
    secret = await made(keys, clock)
    assert await authenticate(secret) is not None
    clock.seconds = 31
    keys.hold = asyncio.Event()
    first = asyncio.create_task(authenticate(secret))
    await eventually(lambda: keys.asked == 2)
    others = await asyncio.gather(*(authenticate(secret) for _ in range(50)))
    assert None not in others
    assert keys.asked == 2
    keys.hold.set()
    assert await first is not None


async def test_a_flood_of_forged_keys_fills_no_memory_and_pushes_no_known_key_out(
    keys: Keys, clock: Clock, authenticate: Authenticate
) -> None:
    """They have a right checksum: anybody can compute one."""
    secret = await made(keys, clock)
    assert await authenticate(secret) is not None
    clock.seconds = 1
    for n in range(10_100):
        await authenticate(spell(Mode.LIVE, n.to_bytes(32, "big")))
    assert len(authenticate._unknown) <= 10_000
    keys.away = True
    assert await authenticate(secret) is not None
    clock.seconds = 30
    assert await authenticate(secret) is not None, "it is believed while the database is away"


async def test_of_forged_keys_the_latest_are_remembered(keys: Keys, authenticate: Authenticate) -> None:
    forged = [spell(Mode.LIVE, n.to_bytes(32, "big")) for n in range(10_100)]
    for secret in forged:
        await authenticate(secret)
    asked = keys.asked
    for secret in forged[-100:]:
        await authenticate(secret)
    assert keys.asked == asked
