"""Providers that come, change and go through the API, in every process."""

import pytest

from application.channel.ports import Channel
from application.provider.follow_descriptions import FollowDescriptions
from application.provider.remove_description import RemoveDescription
from application.provider.save_description import PROVIDERS_MAX, SaveDescription
from domain.kernel.errors import Invalid, NotFound
from domain.provider.description import BearerAuth, JsonDocument, ProviderDescription
from domain.secret.reference import Scope
from tests.support.clock import HandClock
from tests.support.memory.catalog import MemoryChannels, MemoryDescribedProviders
from tests.support.memory.rows import MemoryRows

PIGEON = ProviderDescription(
    url="https://api.pigeon.test/send",
    auth=BearerAuth(secret="env:CHANNEL_SECRET_PIGEON"),
    body=JsonDocument(document={}),
)


class Process:
    """One process and what it calls."""

    def __init__(self, store: MemoryDescribedProviders) -> None:
        self.called: dict[str, ProviderDescription] = {}
        self.changes = 0
        self.follow = FollowDescriptions(store=store, gateways=self)
        self.channels = MemoryChannels(rows=MemoryRows(HandClock()))
        self.save = SaveDescription(
            store=store, gateways=self, follow=self.follow, scope=Scope(env_prefix="CHANNEL_SECRET_")
        )
        self.remove = RemoveDescription(store=store, channels=self.channels, follow=self.follow)

    def configured(self, provider: str) -> bool:
        return provider == "mailer"

    def describe(self, provider: str, description: ProviderDescription | None) -> None:
        self.changes += 1
        if description is None:
            del self.called[provider]
        else:
            self.called[provider] = description


@pytest.fixture
def store() -> MemoryDescribedProviders:
    return MemoryDescribedProviders(rows=MemoryRows(HandClock()))


@pytest.fixture
def process(store: MemoryDescribedProviders) -> Process:
    return Process(store)


async def test_what_is_saved_is_called_here_at_once_and_elsewhere_after_the_next_look(
    process: Process, store: MemoryDescribedProviders
) -> None:
    other = Process(store)
    await process.save("pigeon", PIGEON, expected=0)
    assert process.called == {"pigeon": PIGEON}
    assert other.called == {}

    await other.follow()
    await other.follow()

    assert other.called == {"pigeon": PIGEON}
    assert other.changes == 1


async def test_a_change_and_a_removal_travel_too(process: Process, store: MemoryDescribedProviders) -> None:
    other = Process(store)
    await process.save("pigeon", PIGEON, expected=0)
    await other.follow()
    changed = ProviderDescription(url="https://new.pigeon.test/", body=PIGEON.body)
    await process.save("pigeon", changed, expected=1)
    await other.follow()
    assert other.called == {"pigeon": changed}

    await process.remove("pigeon", expected=2)
    await other.follow()

    assert (process.called, other.called) == ({}, {})


async def test_a_configured_provider_is_not_described(process: Process) -> None:
    with pytest.raises(Invalid, match="configured"):
        await process.save("mailer", PIGEON, expected=0)


async def test_one_that_a_channel_names_stays(process: Process) -> None:
    await process.save("pigeon", PIGEON, expected=0)
    await process.channels.put(Channel(channel="sms", providers=("pigeon",)), expected=1)
    with pytest.raises(Invalid, match="'sms' names"):
        await process.remove("pigeon", expected=1)
    assert process.called


async def test_nobody_removes_what_is_not_there(process: Process) -> None:
    with pytest.raises(NotFound):
        await process.remove("pigeon", expected=1)


async def test_a_secret_that_is_not_meant_for_descriptions_cannot_be_named(process: Process) -> None:
    greedy = ProviderDescription(
        url=PIGEON.url, auth=BearerAuth(secret="env:POSTHORN_VAULT__SECRET"), body=PIGEON.body
    )
    with pytest.raises(Invalid) as refused:
        await process.save("pigeon", greedy, expected=0)
    assert [(fault.pointer, fault.code) for fault in refused.value.faults] == [
        ("/auth/secret", "reference_not_allowed")
    ]


@pytest.mark.parametrize("name", ["", "1st", "a/b", "a" * 51, "Größe"])
async def test_a_name_stands_in_metrics_and_paths(process: Process, name: str) -> None:
    with pytest.raises(Invalid, match="name"):
        await process.save(name, PIGEON, expected=0)


async def test_there_are_only_so_many(process: Process) -> None:
    for n in range(PROVIDERS_MAX):
        await process.save(f"p{n}", PIGEON, expected=0)
    with pytest.raises(Invalid, match="100"):
        await process.save("pigeon", PIGEON, expected=0)
    await process.save("p1", PIGEON, expected=1)
