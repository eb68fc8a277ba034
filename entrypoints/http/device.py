"""Devices of users: registered or seen again, listed, removed.  Tokens stand in the path, percent-encoded."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal, Self

import msgspec
from litestar import Response, delete, get, put
from litestar.params import JSONBody
from litestar.types import ControllerRouterHandler
from msgspec import Meta

from application.device.identity import short_id
from application.device.list import ShownDevice
from application.privacy.masking import DOTS, token
from domain.device.device import DEVICES_MAX, TOKEN_MAX, Platform, PushService
from domain.device.update import KEY_MAX, VERSION_MAX, BrowserKeySet, DeviceFacts, DeviceUpdate
from domain.kernel.errors import Conflict, Fault, Invalid, KeyUnavailable, NotFound
from domain.kernel.text import UNSEEN, hides
from domain.user.update import UpdateOutcome
from entrypoints.http.kit.answers import JsonResponse, View, no_content
from entrypoints.http.kit.api import ApiRequest
from entrypoints.http.kit.openapi.declared import declare
from entrypoints.http.kit.paging import Page
from entrypoints.http.kit.user_paths import item_id, user_id

P256DH = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
"""The example of RFC 8291."""
DEVICE = {
    "an iPhone": {"platform": "ios", "locale": "de-DE", "appVersion": "4.2.0"},
    "a browser": {
        "platform": "web",
        "keys": {
            "p256dh": P256DH,
            "auth": "BTBZMqHH6r4Tts7J_aSIgg",
        },
    },
}
_BODY_MAX = 4 * 1024


class KeysIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of a browser's subscription."""

    p256dh: Annotated[str, Meta(max_length=KEY_MAX, description="base64url")]
    auth: Annotated[str, Meta(max_length=KEY_MAX, description="base64url")]


class DeviceIn(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True
):
    """What the app says of its device."""

    platform: Platform
    service: Annotated[
        PushService | None, Meta(description="whose token it is; left out, it is told by the token's form")
    ] = None
    kind: Annotated[
        Literal["token", "fid"], Meta(description="of FCM: registration token or installation id")
    ] = "token"
    keys: Annotated[KeysIn | None, Meta(description="of Web Push, whose token is the endpoint's URL")] = None
    locale: Annotated[str, Meta(max_length=35, description="BCP 47, such as pt-BR")] | None = None
    app_version: Annotated[str, Meta(max_length=VERSION_MAX)] | None = None

    def facts(self) -> DeviceFacts:
        """The same in the domain's terms."""
        keys = BrowserKeySet(p256dh=self.keys.p256dh, auth=self.keys.auth) if self.keys else None
        return DeviceFacts(
            platform=self.platform,
            service=self.service,
            kind=self.kind,
            keys=keys,
            locale=self.locale,
            app_version=self.app_version,
        )


class DeviceOut(View, frozen=True, kw_only=True):
    """A device; its token is masked."""

    id: Annotated[str, Meta(description="names it in the results of deliveries; tells nothing of the token")]
    platform: str
    service: str
    token: Annotated[str, Meta(examples=["740f•••5894"])]
    locale: str | None
    app_version: str | None
    last_seen: datetime
    registered_at: datetime

    @classmethod
    def of(cls, shown: ShownDevice) -> Self:
        """Made from what the application returns."""
        row, device = shown.row, shown.device
        return cls.copy(
            row,
            id=short_id(row.id),
            token=token(device.token) if device else DOTS,
            locale=device.locale if device else None,
            app_version=device.app_version if device else None,
            last_seen=row.seen,
            registered_at=row.registered,
        )


@get(
    "/users/{user_id:str}/devices",
    summary="List a user's devices",
    description=f"At most {DEVICES_MAX}, the last seen first. Tokens are masked.",
    response_description="All of them",
    opt=declare(problems=("not-found",)),
)
async def list_devices(request: ApiRequest) -> Page[DeviceOut]:
    """All of them."""
    rows = await request.services.list_devices(user_id(request.scope), request.mode)
    return Page(items=[DeviceOut.of(row) for row in rows], next_cursor=None)


@put(
    "/users/{user_id:str}/devices/{token:str}",
    request_max_body_size=_BODY_MAX,
    summary="Register a device, or say that it is still there",
    description=(
        "For the app to call at every start; the same may be said any number of times. A token belongs to "
        "one user: registered for another one, it leaves the first. A user who is not known is made. Of a "
        f"browser's subscription the token is the endpoint's URL. Beyond {DEVICES_MAX} devices the one that "
        "was not seen for longest goes."
    ),
    response_description="Registered",
    opt=declare(problems=("not-found", "conflict"), examples=DEVICE),
)
async def save_device(request: ApiRequest, data: JSONBody[DeviceIn]) -> Response[DeviceOut]:
    """200, whether it is new or not."""
    user, given = user_id(request.scope), item_id(request.scope, "a token", TOKEN_MAX)
    if hides(user):
        raise Invalid(Fault("", "bad_character", f"the user id in the path: {UNSEEN}"))
    [done] = await request.services.update_devices(
        [DeviceUpdate(user_id=user, token=given, facts=data.facts())], mode=request.mode
    )
    _hold(done.outcome, done.faults)
    for row in await request.services.list_devices(user, request.mode):
        if row.row.id == done.id:
            return JsonResponse(DeviceOut.of(row))
    raise Conflict("the device went to another user meanwhile, or was removed")


@delete(
    "/users/{user_id:str}/devices/{token:str}",
    summary="Remove a device",
    description="For the app to call when its user signs out.",
    response_description="Removed, or it was not there",
    opt=declare(problems=("not-found",)),
)
async def remove_device(request: ApiRequest) -> Response[None]:
    """204 whether it was there or not: an app that asks again must not fail."""
    user, given = user_id(request.scope), item_id(request.scope, "a token", TOKEN_MAX)
    await request.services.update_devices(
        [DeviceUpdate(user_id=user, token=given, facts=None)], mode=request.mode
    )
    return no_content()


def _hold(outcome: UpdateOutcome, faults: Sequence[Fault]) -> None:
    match outcome:
        case UpdateOutcome.WRITTEN:
            return
        case UpdateOutcome.INVALID:
            raise Invalid(*(_named(fault) for fault in faults))
        case UpdateOutcome.LOCKED | UpdateOutcome.UNREADABLE:
            raise KeyUnavailable("the user on file cannot be opened with the keys of this process")
        case UpdateOutcome.GONE:
            raise NotFound("the user was erased")
        case _:
            raise Conflict("the user changed meanwhile, or was erased")


def _named(fault: Fault) -> Fault:
    """The token is in the path, where a JSON pointer does not lead."""
    if fault.pointer != "/token":
        return fault
    return Fault("", fault.code, f"the token in the path: {fault.detail}")


ROUTES: list[ControllerRouterHandler] = [list_devices, save_device, remove_device]
