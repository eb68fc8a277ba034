"""What `Templates`, `Triggers`, `Channels`, `DescribedProviders` and `ApiKeys` must do."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from application.access.ports import ApiKey, ApiKeys
from application.channel.ports import Channel, Channels
from application.provider.ports import DescribedProvider, DescribedProviders
from application.provider.steering import ForcedProviders
from application.template.ports import TemplateHead, Templates
from application.trigger.ports import Triggers
from domain.kernel.channel import CHANNELS, AddressedBy, Mode, NotificationClass, Priority
from domain.kernel.errors import Conflict, NotFound
from domain.provider.description import JsonDocument, ProviderDescription
from domain.provider.forcing import Forced, ForcedProvider
from domain.template.template import Template, Variable
from domain.trigger.trigger import To, Trigger

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def template(**changes: Any) -> Template:
    known = {
        "id": "order-created",
        "version": 0,
        "name": "Order created",
        "channel": "email",
        "body": "Hello",
    }
    return Template(**(known | changes))


def trigger(**changes: Any) -> Trigger:
    known = {"id": "order", "event": "order.created", "type": "order_created", "template": "order-created"}
    return Trigger(**(known | changes))


def head(latest: int, active: int | None) -> TemplateHead:
    return TemplateHead(
        id="order-created", name="Order created", channel="email", latest=latest, active=active
    )


class TemplatesContract:
    """Subclasses have a fixture `templates`: none."""

    async def test_versions_are_numbered_from_one_and_never_change(self, templates: Templates) -> None:
        full = template(
            subject="Order {{ number }}",
            html_body="<b>{{ number }}</b>",
            variables={
                "number": Variable(description="as shown to the customer"),
                "note": Variable(default=[1]),
            },
        )

        first = await templates.add(full, expected=None, activate=False)
        second = await templates.add(template(body="Bye"), expected=None, activate=False)

        assert first == msgspec.structs.replace(full, version=1)
        assert second == template(version=2, body="Bye")
        assert await templates.find("order-created", 1) == first
        assert await templates.find("order-created", 2) == second

    async def test_what_is_not_there_is_not_found(self, templates: Templates) -> None:
        await templates.add(template(), expected=None, activate=False)

        assert await templates.find("order-created") is None
        assert await templates.find("order-created", 0) is None
        assert await templates.find("order-created", 2) is None
        assert await templates.find("other", 1) is None
        with pytest.raises(NotFound):
            await templates.activate("other", 1, expected=None)
        with pytest.raises(NotFound):
            await templates.activate("order-created", 2, expected=None)

    async def test_one_version_is_active(self, templates: Templates) -> None:
        first = await templates.add(template(), expected=None, activate=True)
        assert await templates.find("order-created") == first
        second = await templates.add(template(), expected=None, activate=False)
        assert await templates.find("order-created") == first

        assert await templates.activate("order-created", 2, expected=None) == head(2, 2)
        assert await templates.find("order-created") == second
        third = await templates.add(template(), expected=None, activate=True)
        assert await templates.find("order-created") == third
        assert await templates.activate("order-created", 1, expected=None) == head(3, 1)
        assert await templates.activate("order-created", 1, expected=None) == head(3, 1)
        assert await templates.activate("order-created", None, expected=None) == head(3, None)
        assert await templates.find("order-created") is None

    async def test_a_version_that_is_not_there_leaves_the_active_one(self, templates: Templates) -> None:
        first = await templates.add(template(), expected=None, activate=True)

        with pytest.raises(NotFound):
            await templates.activate("order-created", 7, expected=None)
        assert await templates.find("order-created") == first

    async def test_expected_is_the_latest_version(self, templates: Templates) -> None:
        with pytest.raises(Conflict):
            await templates.add(template(), expected=1, activate=True)
        await templates.add(template(), expected=0, activate=True)
        with pytest.raises(Conflict):
            await templates.add(template(), expected=0, activate=True)
        await templates.add(template(), expected=1, activate=False)
        with pytest.raises(Conflict):
            await templates.activate("order-created", 2, expected=1)

        assert await templates.page("", 10) == [head(2, 1)]
        assert await templates.activate("order-created", 2, expected=2) == head(2, 2)

    async def test_many_at_once_get_numbers_of_their_own(self, templates: Templates) -> None:
        saved = await asyncio.gather(
            *(templates.add(template(), expected=None, activate=n % 2 == 0) for n in range(20))
        )

        assert sorted(one.version for one in saved) == list(range(1, 21))
        (only,) = await templates.page("", 10)
        assert only.latest == 20
        assert only.active is not None

    async def test_of_many_who_saw_the_same_version_one_saves(self, templates: Templates) -> None:
        await templates.add(template(), expected=0, activate=False)

        saved = await asyncio.gather(
            *(templates.add(template(), expected=1, activate=True) for _ in range(10)), return_exceptions=True
        )

        assert [one.version for one in saved if isinstance(one, Template)] == [2]
        assert sum(isinstance(one, Conflict) for one in saved) == 9

    async def test_a_page_shows_the_newest_version_of_each(self, templates: Templates) -> None:
        for name in ("b", "B", "a-b", "a"):  # a language's own order would mix these
            await templates.add(template(id=name), expected=None, activate=False)
        await templates.add(template(id="a", name="New name", channel="sms"), expected=None, activate=False)

        assert [one.id for one in await templates.page("", 10)] == ["B", "a", "a-b", "b"]
        assert [one.id for one in await templates.page("B", 2)] == ["a", "a-b"]
        (a,) = await templates.page("", 10, template="a")
        assert (a.name, a.channel, a.latest, a.active) == ("New name", "sms", 2, None)
        assert [one.id for one in await templates.page("", 10, channel="sms")] == ["a"]
        assert [one.id for one in await templates.page("a", 10, channel="email")] == ["a-b", "b"]


class TriggersContract:
    """Subclasses have a fixture `triggers`: none."""

    async def test_a_trigger_is_read_back_whole(self, triggers: Triggers) -> None:
        full = trigger(
            enabled=False,
            channel="sms",
            klass=NotificationClass.OTP,
            priority=Priority.CRITICAL,
            to=To(user_id="data.user", phone="data.phone"),
            data="data.order",
            key="order:{data.orderId}",
            metadata={"order": "data.orderId"},
        )

        saved = await triggers.put(full, expected=None)

        assert (saved.value, saved.version) == (full, 1)
        assert await triggers.get("order") == saved
        assert await triggers.get("other") is None

    async def test_expected_is_the_version_that_the_caller_has_seen(self, triggers: Triggers) -> None:
        with pytest.raises(Conflict):
            await triggers.put(trigger(), expected=1)
        assert (await triggers.put(trigger(), expected=0)).version == 1
        with pytest.raises(Conflict):
            await triggers.put(trigger(), expected=0)
        assert (await triggers.put(trigger(enabled=False), expected=1)).version == 2
        with pytest.raises(Conflict):
            await triggers.put(trigger(), expected=1)

        known = await triggers.get("order")
        assert known is not None
        assert known.value == trigger(enabled=False)
        assert (await triggers.put(trigger(), expected=None)).version == 3

    async def test_of_many_who_saw_the_same_version_one_writes(self, triggers: Triggers) -> None:
        for expected in (0, 1):
            answers = await asyncio.gather(
                *(triggers.put(trigger(data=f"data.n{n}"), expected=expected) for n in range(10)),
                return_exceptions=True,
            )
            winners = [answer for answer in answers if not isinstance(answer, BaseException)]
            assert winners == [await triggers.get("order")]
            assert sum(isinstance(answer, Conflict) for answer in answers) == 9

    async def test_deleting(self, triggers: Triggers) -> None:
        assert await triggers.delete("order", expected=None) is False
        assert await triggers.delete("order", expected=1) is False
        await triggers.put(trigger(), expected=None)
        with pytest.raises(Conflict):
            await triggers.delete("order", expected=2)
        assert await triggers.get("order") is not None
        assert await triggers.delete("order", expected=1) is True
        assert await triggers.get("order") is None
        assert (await triggers.put(trigger(), expected=0)).version == 1
        assert await triggers.delete("order", expected=None) is True

    async def test_pages_are_in_id_order_behind_a_trigger(self, triggers: Triggers) -> None:
        for name in ("b", "B", "a-b", "a"):
            await triggers.put(trigger(id=name), expected=None)

        assert [one.value.id for one in await triggers.page("", 3)] == ["B", "a", "a-b"]
        assert [one.value.id for one in await triggers.page("a-b", 3)] == ["b"]


class ChannelsContract:
    """Subclasses have a fixture `channels`: as a new installation has them."""

    async def test_every_built_in_channel_is_there_and_sends_nothing_out(self, channels: Channels) -> None:
        known = await channels.all()

        providers = {"in_app": ("in_app",)}
        assert [one.value for one in known] == [
            Channel(channel=name, providers=providers.get(name, ("sandbox",))) for name in sorted(CHANNELS)
        ]
        assert {one.version for one in known} <= {1, 2}  # one was changed by a migration

    async def test_a_channel_is_changed_and_read_back(self, channels: Channels) -> None:
        changed = Channel(channel="email", enabled=False, paused=True, providers=("smtp", "sandbox"))

        saved = await channels.put(changed, expected=1)

        assert (saved.value, saved.version) == (changed, 2)
        assert await channels.get("email") == saved
        assert saved in await channels.all()

    async def test_a_channel_of_a_plugin_is_added(self, channels: Channels) -> None:
        assert await channels.get("pigeon") is None
        saved = await channels.put(Channel(channel="pigeon", providers=()), expected=0)

        assert await channels.get("pigeon") == saved
        assert len(await channels.all()) == len(CHANNELS) + 1

    async def test_a_channel_that_was_made_says_what_addresses_a_recipient(self, channels: Channels) -> None:
        made = Channel(channel="whatsapp", addressed_by=AddressedBy.PHONE)
        await channels.put(made, expected=0)

        found = await channels.get("whatsapp")

        assert found is not None
        assert found.value == made

    async def test_a_channel_is_removed_at_the_version_that_the_caller_has_seen(
        self, channels: Channels
    ) -> None:
        await channels.put(Channel(channel="pigeon"), expected=0)
        with pytest.raises(Conflict):
            await channels.remove("pigeon", expected=2)

        assert await channels.remove("pigeon", expected=1)

        assert await channels.get("pigeon") is None
        assert not await channels.remove("pigeon", expected=1)

    async def test_expected_is_the_version_that_the_caller_has_seen(self, channels: Channels) -> None:
        for expected in (0, 2):
            with pytest.raises(Conflict):
                await channels.put(Channel(channel="email"), expected=expected)
        assert (await channels.put(Channel(channel="email"), expected=None)).version == 2


def described(name: str = "pigeon", **changes: Any) -> DescribedProvider:
    known = {"url": "https://api.pigeon.test/send", "body": JsonDocument(document={"to": None, "n": 1.5})}
    return DescribedProvider(name=name, description=ProviderDescription(**(known | changes)))


class DescribedProvidersContract:
    """Subclasses have a fixture `store`, without any provider."""

    async def test_a_description_is_read_back_as_it_was_saved(self, store: DescribedProviders) -> None:
        saved = await store.put(described(), expected=0)

        assert (saved.value, saved.version) == (described(), 1)
        [found] = await store.many(["pigeon", "dove"])
        assert (found.value, found.version) == (described(), 1)

    async def test_each_change_is_another_version(self, store: DescribedProviders) -> None:
        await store.put(described("dove"), expected=0)
        await store.put(described(), expected=0)
        await store.put(described(summary="faster"), expected=1)

        assert await store.versions() == {"dove": 1, "pigeon": 2}
        assert [row.value.name for row in await store.many(["pigeon", "dove"])] == ["dove", "pigeon"]
        assert await store.many([]) == []

    async def test_nobody_overwrites_or_removes_what_they_have_not_seen(
        self, store: DescribedProviders
    ) -> None:
        await store.put(described(), expected=0)
        for expected in (0, 2):
            with pytest.raises(Conflict):
                await store.put(described(), expected=expected)
        with pytest.raises(Conflict):
            await store.remove("pigeon", expected=2)

        assert await store.remove("pigeon", expected=1)

        assert await store.versions() == {}
        assert not await store.remove("pigeon", expected=1)


def api_key(**changes: Any) -> ApiKey:
    known = {"id": uuid4(), "name": "shop", "mode": Mode.LIVE, "prefix": "ph_live_ab", "created_at": NOON}
    return ApiKey(**(known | changes))


class ApiKeysContract:
    """Subclasses have a fixture `keys`: none."""

    async def test_a_key_is_found_by_its_digest(self, keys: ApiKeys) -> None:
        live = api_key(expires_at=NOON + timedelta(days=90))
        test = api_key(mode=Mode.TEST)
        await keys.add(live, b"live")
        await keys.add(test, b"test")

        assert await keys.find(b"live") == live
        found = await keys.find(b"test")
        assert found == test
        assert found is not None
        assert found.mode is Mode.TEST
        assert await keys.find(b"other") is None

    async def test_a_digest_belongs_to_one_key(self, keys: ApiKeys) -> None:
        first = api_key()
        await keys.add(first, b"digest")

        with pytest.raises(Conflict):
            await keys.add(api_key(), b"digest")
        with pytest.raises(Conflict):
            await keys.add(first, b"another")
        assert await keys.all() == [first]

    async def test_a_revoked_key_stays_and_keeps_its_first_time(self, keys: ApiKeys) -> None:
        key = api_key()
        await keys.add(key, b"digest")

        assert await keys.revoke(uuid4(), NOON) is False
        assert await keys.revoke(key.id, NOON) is True
        assert await keys.revoke(key.id, NOON + timedelta(hours=1)) is True
        assert await keys.find(b"digest") == msgspec.structs.replace(key, revoked_at=NOON)

    async def test_keys_are_listed_oldest_first(self, keys: ApiKeys) -> None:
        made = [api_key(created_at=NOON + timedelta(hours=n)) for n in range(3)]
        for n in (1, 2, 0):
            await keys.add(made[n], bytes([n]))

        assert list(await keys.all()) == made


class ForcedProvidersContract:
    """Subclasses have a fixture `store`, without any row."""

    async def test_the_last_decision_counts(self, store: ForcedProviders) -> None:
        until = datetime(2026, 12, 24, 18, 0, tzinfo=UTC)
        first = ForcedProvider(
            provider="twilio", forced=Forced.OPEN, reason="outage", actor="key:ops", until=until
        )
        assert (await store.put(first)).version == 1
        assert (await store.put(ForcedProvider(provider="ses", forced=Forced.CLOSED))).version == 1
        assert [each.value for each in await store.all()] == [
            ForcedProvider(provider="ses", forced=Forced.CLOSED),
            first,
        ]
        assert (await store.put(ForcedProvider(provider="twilio"))).version == 2
        assert {each.value.provider: each.value.forced for each in await store.all()} == {
            "ses": Forced.CLOSED,
            "twilio": Forced.AUTO,
        }
