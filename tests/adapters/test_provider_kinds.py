"""What every kind of provider must state, so that configuration, documentation and gateways can go by it."""

from datetime import timedelta

import msgspec
import pytest

from adapters.providers.kit.settings import ProviderContext, ProviderSettings
from adapters.providers.registry import KINDS
from adapters.system import SystemClock, SystemDice
from domain.kernel.channel import CHANNELS

CONTEXT = ProviderContext(clock=SystemClock(), dice=SystemDice(), call_max=timedelta(seconds=30))


@pytest.mark.parametrize("kind", KINDS)
class TestKind:
    def test_it_says_what_it_is_in_one_line(self, kind: str) -> None:
        assert (KINDS[kind].__doc__ or "").partition("\n")[0].endswith(".")

    def test_it_states_its_capabilities(self, kind: str) -> None:
        can = KINDS[kind].capabilities
        assert set(can.channels) <= set(CHANNELS)
        assert can.batch_max >= 1
        assert bool(can.regions) is ("region" in KINDS[kind].__struct_fields__)
        assert can.lookup or not can.lookup_after

    async def test_its_settings_make_its_gateway(self, kind: str) -> None:
        gateway = KINDS[kind]().gateway(CONTEXT)
        await gateway.aclose()

    def test_values_that_are_its_own_can_be_told_from_others(self, kind: str) -> None:
        with pytest.raises(msgspec.ValidationError, match="unknown field"):
            msgspec.convert({"no_such_setting": 1}, KINDS[kind])


def test_no_two_kinds_have_one_name() -> None:
    assert all(kind == settings.kind() for kind, settings in KINDS.items())
    assert all(issubclass(settings, ProviderSettings) for settings in KINDS.values())
