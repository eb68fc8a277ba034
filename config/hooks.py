"""From the settings to the webhook of the operators."""

from adapters.alerts.webhook import SignedHook
from adapters.http.egress import Egress
from application.kernel.ports import Clock
from config.alerts import allowed, signing_key
from config.settings import Settings


def operators_hook(settings: Settings, clock: Clock) -> SignedHook | None:
    """None: nobody wants to be told but the log.

    Raises:
        Misconfigured: its secret is none.
    """
    alerts = settings.alerts
    if alerts.url is None:
        return None
    secure = alerts.url.reveal().startswith("https://")
    egress = Egress(secure=secure, networks=allowed(alerts), ports=None)  # the operator names the port, too
    return SignedHook(url=alerts.url, key=signing_key(alerts), now=clock.now, egress=egress)
