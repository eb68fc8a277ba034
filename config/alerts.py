"""Telling operators of dead letters: a section of the settings, and the key in it."""

from datetime import timedelta
from typing import Annotated

from msgspec import Meta

from adapters.http import signatures
from adapters.http.egress import Network, networks_of
from config.secret_url import SecretUrl
from config.section import Section
from domain.kernel.errors import Misconfigured
from domain.kernel.secret import Secret

_MAKE_ONE = f"make one with `echo {signatures.SHARED}$(openssl rand -base64 32)`"


class AlertSettings(Section, frozen=True):
    """Telling operators of dead letters."""

    url: Annotated[
        SecretUrl | None,
        Meta(description="where signed events are posted (Standard Webhooks); none: they are logged only"),
    ] = None
    secret: Annotated[
        Secret | None, Meta(description="`whsec_` and base64 of 24 to 64 random bytes: signs the events")
    ] = None
    networks: Annotated[
        tuple[str, ...],
        Meta(description="such as 10.0.0.0/8: not public, and alerts.url may lead there; also by http"),
    ] = ()
    every: Annotated[
        timedelta, Meta(description="a group of dead letters is told of again after this, if it has grown")
    ] = timedelta(minutes=1)
    waiting_max: Annotated[
        timedelta, Meta(description="a lane whose oldest delivery is overdue for longer is told of")
    ] = timedelta(minutes=15)


def allowed(alerts: AlertSettings) -> tuple[Network, ...]:
    """What `networks` stands for.

    Raises:
        Misconfigured: one is none.
    """
    return networks_of(alerts.networks, "alerts.networks")


def signing_key(alerts: AlertSettings) -> bytes:
    """What the secret stands for.

    Raises:
        Misconfigured: it is missing, or none.
    """
    if alerts.secret is None:
        raise Misconfigured(f"alerts.secret is not set: alerts.url needs it; {_MAKE_ONE}")
    try:
        key = signatures.signing_key(alerts.secret.reveal())
    except ValueError:
        key = None
    if not isinstance(key, bytes):
        least, most = signatures.SHARED_MIN, signatures.SHARED_MAX
        wanted = f"{signatures.SHARED} and base64 of {least} to {most} bytes"
        raise Misconfigured(f"alerts.secret is not {wanted}: {_MAKE_ONE}")
    return key
