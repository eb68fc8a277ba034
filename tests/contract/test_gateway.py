"""`GatewayContract` over every gateway."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from adapters.providers.email.smtp.gateway import SmtpGateway
from adapters.providers.email.smtp.options import SmtpOptions
from adapters.providers.sandbox import SandboxGateway, SandboxOptions
from adapters.system import SystemClock, SystemDice
from tests.contract.gateway import GatewayContract
from tests.support.smtp import mailbox


class TestSandbox(GatewayContract):
    @pytest.fixture
    def gateway(self) -> SandboxGateway:
        options = SandboxOptions(latency=timedelta(milliseconds=2), timeout=timedelta(milliseconds=50))
        return SandboxGateway(options=options, clock=SystemClock(), dice=SystemDice())


class TestSmtp(GatewayContract):
    @pytest.fixture
    async def gateway(self) -> AsyncIterator[SmtpGateway]:
        async with mailbox() as box:
            options = SmtpOptions(
                host="127.0.0.1",
                port=box.port,
                sender="The Shop <shop@shop.test>",
                tls="none",
                timeout=timedelta(seconds=1),
                answer_max=timedelta(seconds=1),
            )
            gateway = SmtpGateway(options=options, clock=SystemClock())
            yield gateway
            await gateway.aclose()
