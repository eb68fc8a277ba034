"""What the demo's shop says beside its e-mails, and the providers that carry it: simulated ones, which can be
broken.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from aiohttp import web

from config.gateways import provider_settings
from config.simulated import ids
from domain.kernel.channel import Priority
from domain.kernel.secret import Secret
from domain.template.template import Template, Variable
from domain.trigger.trigger import To, Trigger
from entrypoints.simulator.faults import ProviderFault, ProviderFaults
from entrypoints.simulator.kit import Simulator
from entrypoints.simulator.server import serve

TEXTERS = ("twilio", "vonage")
"""In order of preference."""
CHANNELS: Mapping[str, tuple[str, ...]] = {"sms": TEXTERS}
"""The providers of each channel, e-mail apart."""
TEMPLATES = (
    Template(
        id="demo_parcel_sms",
        version=1,
        name="Parcel on its way",
        channel="sms",
        body="{{ shopName }}: {{ carrier }} has your parcel of order {{ orderId }} – {{ trackingUrl }}",
        variables={name: Variable() for name in ("shopName", "carrier", "orderId", "trackingUrl")},
    ),
    Template(
        id="demo_restocked_in_app",
        version=1,
        name="Back in stock",
        channel="in_app",
        subject="{{ productName }} is back",
        body="You asked us to say so.",
        parts={"link": "{{ productUrl }}", "category": "products"},
        variables={name: Variable() for name in ("productName", "productUrl")},
    ),
)
TRIGGERS = (
    Trigger(
        id="demo_parcel_sms",
        event="order.shipped",
        type="parcel_text",
        template="demo_parcel_sms",
        priority=Priority.HIGH,
        to=To(user_id="data.userId", phone="data.phone", name="data.name"),
        key="text:{data.orderId}:{data.shipmentId}",
    ),
    Trigger(
        id="demo_restocked_in_app",
        event="product.back_in_stock",
        type="restocked_note",
        template="demo_restocked_in_app",
        to=To(user_id="data.userId"),
        key="{source}:{id}",
    ),
)


@dataclass(slots=True)
class DemoProviders:
    """The simulated providers of the demo."""

    _faults: ProviderFaults
    _runner: web.AppRunner

    @property
    def settings(self) -> dict[str, Any]:  # settings of providers, which config alone imports
        """Their accounts, by name."""
        url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        known: dict[str, dict[str, Any]] = {  # as configuration has them
            "twilio": {"account": "AC0", "token": Secret("demo"), "from": "+15005550006"},
            "vonage": {"key": "demo", "secret": Secret("demo"), "from": "Fernwood"},
        }
        timeout = timedelta(seconds=5)
        return {
            kind: provider_settings(kind, {"url": f"{url}/{kind}", "timeout": timeout, **values})
            for kind, values in known.items()
        }

    def standing(self) -> dict[str, bool]:
        """Whether each works."""
        return {name: name not in self._faults.standing for name in TEXTERS}

    def set_working(self, provider: str, *, working: bool) -> bool:
        """Break it (it answers 503 to everybody), or mend it; False: there is no such provider."""
        if provider not in TEXTERS:
            return False
        if working:
            self._faults.standing.pop(provider, None)
        else:
            self._faults.set(provider, ProviderFault(status=503))
        return True

    async def stop(self) -> None:
        """Listen no more."""
        await self._runner.cleanup()


async def serve_providers() -> DemoProviders:
    """Start them on a free port of this machine."""
    faults = ProviderFaults()
    runner = await serve(Simulator(ids=ids(), kept=1), "127.0.0.1", 0, faults)
    return DemoProviders(faults, runner)


def channel_of(template: str) -> str:
    """The channel of a template of the demo or of the shipped catalogue."""
    return next((each.channel for each in TEMPLATES if each.id == template), "email")
