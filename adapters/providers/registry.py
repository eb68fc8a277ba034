"""The configured providers, by name."""

from collections.abc import Mapping
from pathlib import Path

from adapters.providers.email.smtp.gateway import SmtpGateway
from adapters.providers.email.smtp.options import SmtpOptions
from adapters.providers.kit.ledger import Ledger
from adapters.providers.sandbox import SandboxGateway, SandboxOptions
from application.kernel.ports import Clock, Dice
from application.provider.ports import Gateway
from domain.kernel.errors import Misconfigured

Options = SmtpOptions | SandboxOptions

SANDBOX = "sandbox"
"""Always there: test keys send to it, whatever is configured."""


class ProviderGateways:
    """Implements `Gateways`.  Connections open with the first message."""

    def __init__(
        self, providers: Mapping[str, Options], *, clock: Clock, dice: Dice, ledger: Path | None = None
    ) -> None:
        """`ledger`: file to which every sandbox writes what became of each call.

        Raises:
            Misconfigured: a provider cannot work as configured.
        """
        try:
            self._ledger = None if ledger is None else Ledger(ledger)
        except OSError as error:
            raise Misconfigured(f"the sandbox's ledger {ledger} cannot be opened: {error.strerror}") from None
        if isinstance(providers.get(SANDBOX), SmtpOptions):
            raise Misconfigured("the provider 'sandbox' sends nothing: give the SMTP server another name")
        self._gateways: dict[str, SmtpGateway | SandboxGateway] = {}
        for name, options in {SANDBOX: SandboxOptions(), **providers}.items():
            if isinstance(options, SmtpOptions):
                self._gateways[name] = SmtpGateway(options=options, clock=clock)
            else:
                self._gateways[name] = SandboxGateway(
                    options=options, clock=clock, dice=dice, ledger=self._ledger
                )

    def named(self, provider: str) -> Gateway | None:
        """The gateway of a provider, or None when configuration has no such provider."""
        return self._gateways.get(provider)

    async def aclose(self) -> None:
        """Close what is open; for after the last call."""
        for gateway in self._gateways.values():
            await gateway.aclose()
        if self._ledger is not None:
            self._ledger.close()
