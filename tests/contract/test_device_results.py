"""`DeviceResultsContract` over both adapters."""

import pytest

from adapters.postgres.core.database import Database
from adapters.postgres.dead_letter.dead_letters import PostgresDeadLetters
from adapters.postgres.delivery.deliveries import PostgresDeliveries
from adapters.postgres.device.devices import PostgresDevices
from adapters.postgres.notification.acceptance import PostgresAcceptance
from adapters.postgres.notification.reader import PostgresReader
from adapters.system import SystemIds
from tests.contract.device_results import DeviceResultsContract
from tests.support.memory.acceptance import MemoryAcceptance
from tests.support.memory.dead_letters import MemoryDeadLetters
from tests.support.memory.deliveries import MemoryDeliveries
from tests.support.memory.devices import MemoryDevices
from tests.support.memory.reader import MemoryReader
from tests.support.memory.rows import MemoryRows

IDS = SystemIds()
ME = IDS.next()


class TestMemoryDeviceResults(DeviceResultsContract):
    @pytest.fixture
    def acceptance(self, rows: MemoryRows) -> MemoryAcceptance:
        return MemoryAcceptance(rows=rows, process=ME)

    @pytest.fixture
    def deliveries(self, rows: MemoryRows) -> MemoryDeliveries:
        return MemoryDeliveries(rows=rows, process=ME, ids=IDS)

    @pytest.fixture
    def letters(self, rows: MemoryRows) -> MemoryDeadLetters:
        return MemoryDeadLetters(rows=rows, process=ME, ids=IDS)

    @pytest.fixture
    def devices(self, rows: MemoryRows) -> MemoryDevices:
        return MemoryDevices(rows=rows)

    @pytest.fixture
    def reader(self, rows: MemoryRows) -> MemoryReader:
        return MemoryReader(rows=rows)


class TestPostgresDeviceResults(DeviceResultsContract):
    @pytest.fixture
    def acceptance(self, store: Database) -> PostgresAcceptance:
        return PostgresAcceptance(database=store, process=ME)

    @pytest.fixture
    def deliveries(self, store: Database) -> PostgresDeliveries:
        return PostgresDeliveries(database=store, process=ME, ids=IDS)

    @pytest.fixture
    def letters(self, store: Database) -> PostgresDeadLetters:
        return PostgresDeadLetters(database=store, process=ME, ids=IDS)

    @pytest.fixture
    def devices(self, store: Database) -> PostgresDevices:
        return PostgresDevices(database=store)

    @pytest.fixture
    def reader(self, store: Database) -> PostgresReader:
        return PostgresReader(database=store)
