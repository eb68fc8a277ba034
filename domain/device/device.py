"""A device of a user, and what its token must look like for the push service that it belongs to."""

import base64
import binascii
import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Literal

import msgspec

from domain.kernel.errors import Fault

DEVICES_MAX = 20
"""Of one user; the one that was not seen for longest goes when another one comes."""
TOKEN_MAX = 2_000
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}){16,100}")
_FCM = re.compile(r"[A-Za-z0-9_:.-]+")
_ENDPOINT = re.compile(r"https://[A-Za-z0-9.-]{1,253}(?::[0-9]{1,5})?/[\x21\x23-\x7e]*")
_POINT_BYTES, _AUTH_BYTES = 65, 16


class Platform(StrEnum):
    """What a device runs."""

    IOS = "ios"
    ANDROID = "android"
    WEB = "web"


class PushService(StrEnum):
    """Who made a device's token: only its calls reach the device."""

    APNS = "apns"
    APNS_SANDBOX = "apns_sandbox"
    """Apple's environment of apps that are run from Xcode."""
    FCM = "fcm"
    WEB_PUSH = "web_push"


SERVICES: dict[Platform, frozenset[PushService]] = {
    Platform.IOS: frozenset({PushService.APNS, PushService.APNS_SANDBOX, PushService.FCM}),
    Platform.ANDROID: frozenset({PushService.FCM}),
    Platform.WEB: frozenset({PushService.FCM, PushService.WEB_PUSH}),
}
"""The services that give tokens to a platform's apps."""


class Device(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A device as it is stored, sealed under its user's key."""

    token: str
    """Of Web Push: the endpoint's URL."""
    platform: Platform
    service: PushService
    kind: Literal["token", "fid"] = "token"
    """Of FCM: a registration token, or a Firebase installation id."""
    p256dh: str | None = None
    """Of Web Push, as is `auth`: the browser's key and secret, base64url."""
    auth: str | None = None
    locale: str | None = None
    app_version: str | None = None

    @property
    def address(self) -> str:
        """What a gateway of its service is given: the token, or a browser's whole subscription as JSON."""
        if self.service is not PushService.WEB_PUSH:
            return self.token
        keys = {"p256dh": self.p256dh, "auth": self.auth}
        return msgspec.json.encode({"endpoint": self.token, "keys": keys}).decode()


def service_of(platform: Platform, token: str, *, has_keys: bool) -> PushService:
    """The push service of a device that does not name it: by the form of its token."""
    if platform is Platform.WEB and has_keys:
        return PushService.WEB_PUSH
    if platform is Platform.IOS and _HEX.fullmatch(token):
        return PushService.APNS
    return PushService.FCM


def spelled(token: str, service: PushService) -> str:
    """The one spelling of a token: Apple's are hexadecimal, in whichever case."""
    return token.lower() if service in (PushService.APNS, PushService.APNS_SANDBOX) else token


def faults_of(device: Device) -> Iterator[Fault]:
    """What is wrong with a device; pointers are those of the REST body, `/token` is in the path there."""
    if device.service not in SERVICES[device.platform]:
        allowed = ", ".join(sorted(SERVICES[device.platform]))
        yield Fault("/service", "wrong_service", f"a device of {device.platform} has a token of {allowed}")
        return
    if device.kind == "fid" and device.service is not PushService.FCM:
        yield Fault("/kind", "wrong_kind", "only FCM knows installation ids: leave it out")
    if not 1 <= len(device.token) <= TOKEN_MAX:
        yield Fault("/token", "bad_length", f"a token has 1 to {TOKEN_MAX} characters")
        return
    match device.service:
        case PushService.APNS | PushService.APNS_SANDBOX:
            if not _HEX.fullmatch(device.token):
                yield Fault("/token", "bad_token", "a token of APNs has 32 to 200 hexadecimal digits")
        case PushService.FCM:
            if not _FCM.fullmatch(device.token):
                yield Fault("/token", "bad_token", "a token of FCM has letters, digits, and any of : . _ -")
        case PushService.WEB_PUSH:
            if not _ENDPOINT.fullmatch(device.token):
                yield Fault("/token", "bad_endpoint", "the token of Web Push is the endpoint, an https URL")
            yield from _key_faults(device)
    if device.service is not PushService.WEB_PUSH and (device.p256dh or device.auth):
        yield Fault("/keys", "unwanted", "only a subscription of Web Push has keys: leave them out")


def _key_faults(device: Device) -> Iterator[Fault]:
    point = _decoded(device.p256dh)
    if len(point) != _POINT_BYTES or point[0] != 0x04:
        yield Fault("/keys/p256dh", "bad_key", "the browser's key: an uncompressed point of P-256, base64url")
    if len(_decoded(device.auth)) != _AUTH_BYTES:
        yield Fault("/keys/auth", "bad_key", "the browser's secret: 16 bytes, base64url")


def _decoded(text: str | None) -> bytes:
    bare = (text or "").rstrip("=")
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        return b""
