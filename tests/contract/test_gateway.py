"""`GatewayContract` over the gateways that are no HTTP calls."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from adapters.providers.email.smtp.connections import SmtpTls
from adapters.providers.email.smtp.gateway import SmtpGateway, SmtpSettings
from adapters.providers.kit.settings import ProviderContext
from adapters.providers.sandbox import SandboxGateway, SandboxSettings
from adapters.system import SystemClock, SystemDice
from tests.contract.gateway import GatewayContract
from tests.support.smtp import mailbox

CONTEXT = ProviderContext(clock=SystemClock(), dice=SystemDice(), call_max=timedelta(seconds=30))


class TestSandbox(GatewayContract):
    kind = "sandbox"

    @pytest.fixture
    def gateway(self) -> SandboxGateway:
        settings = SandboxSettings(latency=timedelta(milliseconds=2), timeout=timedelta(milliseconds=50))
        return SandboxGateway(settings, CONTEXT)


class TestSmtp(GatewayContract):
    kind = "smtp"

    @pytest.fixture
    async def gateway(self) -> AsyncIterator[SmtpGateway]:
        async with mailbox() as box:
            settings = SmtpSettings(
                host="127.0.0.1",
                port=box.port,
                sender="The Shop <shop@shop.test>",
                tls=SmtpTls.NONE,
                timeout=timedelta(seconds=1),
                answer_max=timedelta(seconds=1),
            )
            gateway = SmtpGateway(settings, SystemClock())
            yield gateway
            await gateway.aclose()
