"""The contracts of the catalog over both adapters."""

import pytest

from adapters.postgres.access.api_keys import PostgresApiKeys
from adapters.postgres.channel.channels import PostgresChannels
from adapters.postgres.core.database import Database
from adapters.postgres.provider.described import PostgresDescribedProviders
from adapters.postgres.provider.forced import PostgresForcedProviders
from adapters.postgres.template.templates import PostgresTemplates
from adapters.postgres.trigger.triggers import PostgresTriggers
from tests.contract.catalog import (
    ApiKeysContract,
    ChannelsContract,
    DescribedProvidersContract,
    ForcedProvidersContract,
    TemplatesContract,
    TriggersContract,
)
from tests.support.memory.catalog import (
    MemoryApiKeys,
    MemoryChannels,
    MemoryDescribedProviders,
    MemoryForcedProviders,
    MemoryTriggers,
)
from tests.support.memory.rows import MemoryRows
from tests.support.memory.templates import MemoryTemplates


class TestMemoryTemplates(TemplatesContract):
    @pytest.fixture
    def templates(self, rows: MemoryRows) -> MemoryTemplates:
        return MemoryTemplates(rows=rows)


class TestPostgresTemplates(TemplatesContract):
    @pytest.fixture
    def templates(self, store: Database) -> PostgresTemplates:
        return PostgresTemplates(database=store)


class TestMemoryTriggers(TriggersContract):
    @pytest.fixture
    def triggers(self, rows: MemoryRows) -> MemoryTriggers:
        return MemoryTriggers(rows=rows)


class TestPostgresTriggers(TriggersContract):
    @pytest.fixture
    def triggers(self, store: Database) -> PostgresTriggers:
        return PostgresTriggers(database=store)


class TestMemoryDescribedProviders(DescribedProvidersContract):
    @pytest.fixture
    def store(self, rows: MemoryRows) -> MemoryDescribedProviders:
        return MemoryDescribedProviders(rows=rows)


class TestPostgresDescribedProviders(DescribedProvidersContract):
    @pytest.fixture
    def store(self, store: Database) -> PostgresDescribedProviders:
        return PostgresDescribedProviders(database=store)


class TestMemoryForcedProviders(ForcedProvidersContract):
    @pytest.fixture
    def store(self, rows: MemoryRows) -> MemoryForcedProviders:
        return MemoryForcedProviders(rows=rows)


class TestPostgresForcedProviders(ForcedProvidersContract):
    @pytest.fixture
    def store(self, store: Database) -> PostgresForcedProviders:
        return PostgresForcedProviders(database=store)


class TestMemoryChannels(ChannelsContract):
    @pytest.fixture
    def channels(self, rows: MemoryRows) -> MemoryChannels:
        return MemoryChannels(rows=rows)


class TestPostgresChannels(ChannelsContract):
    @pytest.fixture
    def channels(self, store: Database) -> PostgresChannels:
        return PostgresChannels(database=store)


class TestMemoryApiKeys(ApiKeysContract):
    @pytest.fixture
    def keys(self, rows: MemoryRows) -> MemoryApiKeys:
        return MemoryApiKeys(rows=rows)


class TestPostgresApiKeys(ApiKeysContract):
    @pytest.fixture
    def keys(self, store: Database) -> PostgresApiKeys:
        return PostgresApiKeys(database=store)
