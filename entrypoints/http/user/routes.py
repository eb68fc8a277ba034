"""Users: list, find, show, create or replace, erase; by the shop's own user ids."""

from collections.abc import Sequence
from typing import Annotated
from urllib.parse import quote
from uuid import UUID

from litestar import Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from litestar.params import JSONBody
from litestar.types import ControllerRouterHandler
from msgspec import Meta

from application.user.erase import UserSelector
from domain.kernel.errors import Conflict, Fault, Invalid, KeyUnavailable, NotFound
from domain.kernel.text import UNSEEN, hides
from domain.user.update import UpdateOutcome, UserUpdate
from entrypoints.http.kit.answers import JsonResponse, created, no_content
from entrypoints.http.kit.api import ApiRequest
from entrypoints.http.kit.openapi.declared import ETAG, LINK, LOCATION, declare
from entrypoints.http.kit.paging import ListQuery, Page, Pager
from entrypoints.http.kit.preconditions import Conditions, etag
from entrypoints.http.kit.user_paths import user_id
from entrypoints.http.user.bodies import ERASE, USER, EraseIn, UserIn
from entrypoints.http.user.views import ErasedOut, UserOut


class UserQuery(ListQuery, frozen=True, kw_only=True):
    """Which users."""

    email: Annotated[str, Meta(max_length=320, description="those with this address")] | None = None


@get(
    "/users",
    summary="List users, or find them by e-mail address",
    description=(
        "Customers and guests; several may share an address. Test keys have users of their own, apart "
        "from the shop's: they see and change those alone."
    ),
    response_description="A page",
    response_headers=[LINK],
)
async def list_users(request: ApiRequest, params: NamedDependency[UserQuery]) -> Response[Page[UserOut]]:
    """All, or those with an address."""
    pager = Pager(request)
    rows = await request.services.list_users(
        request.mode, email=params.email, after=pager.position(params.cursor, UUID), limit=params.limit + 1
    )
    return pager.page(rows, params.limit, shown=UserOut.of, at=lambda row: row.user.id)


@get(
    "/users/{user_id:str}",
    summary="Read a user",
    response_description="The user",
    response_headers=[ETAG],
    opt=declare(problems=("not-found",)),
)
async def show_user(request: ApiRequest) -> Response[UserOut]:
    """The user with the id in the path, customer or not, of the mode of the key."""
    found = await request.services.find_user(user_id(request.scope), request.mode)
    return JsonResponse(UserOut.of(found), headers=etag(found.user.version))


@put(
    "/users/{user_id:str}",
    summary="Create or replace a user",
    description="Shops that publish user events need not call this: users follow the events.",
    response_description="Replaced",
    responses={201: ResponseSpec(UserOut, description="Created")},
    response_headers=[LOCATION, ETAG],
    opt=declare(
        problems=("not-found", "conflict", "precondition-failed", "precondition-required"),
        examples=USER,
    ),
)
async def save_user(
    request: ApiRequest, data: JSONBody[UserIn], preconditions: Conditions
) -> Response[UserOut]:
    """201 when the user is new, 200 when it was there and `If-Match` quotes its version."""
    user = user_id(request.scope)
    try:
        version: int | None = (await request.services.find_user(user, request.mode)).user.version
    except NotFound:
        version = None
        if hides(user):  # those that were kept in earlier days can be mended and erased
            raise Invalid(Fault("", "bad_character", f"the user id in the path: {UNSEEN}")) from None
    preconditions.check(version)
    [done] = await request.services.update_users(
        [data.update(user)], mode=request.mode, expected=version or 0
    )
    _hold(done.outcome, done.faults)
    found = await request.services.find_user(user, request.mode)
    shown, tag = UserOut.of(found), etag(found.user.version)
    if version:
        return JsonResponse(shown, headers=tag)
    return created(shown, f"/api/users/{quote(user, safe='')}", tag)


def _hold(outcome: UpdateOutcome, faults: Sequence[Fault]) -> None:
    match outcome:
        case UpdateOutcome.WRITTEN:
            return
        case UpdateOutcome.INVALID:
            raise Invalid(*faults)
        case UpdateOutcome.LOCKED | UpdateOutcome.UNREADABLE:
            raise KeyUnavailable("the profile on file cannot be opened with the keys of this process")
        case _:
            raise Conflict("the user changed meanwhile, or was erased")


@delete(
    "/users/{user_id:str}",
    summary="Erase a user",
    description=(
        "Deletes the key their data is encrypted under: nothing of it can be read again, deliveries "
        "still waiting for them are not sent. Needs no `If-Match`: whatever changed meanwhile goes too."
    ),
    response_description="Erased",
    opt=declare(problems=("not-found",)),
)
async def erase_user(request: ApiRequest) -> Response[None]:
    """Erase; nothing brings the data back."""
    user = user_id(request.scope)
    await request.services.find_user(user, request.mode)
    await request.services.update_users([UserUpdate(user_id=user, deleted=True)], mode=request.mode)
    return no_content()


@post(
    "/users:erase",
    status_code=200,
    summary="Erase a guest by their address, or whoever has it",
    description=(
        "As for one user by their id, for those who have none; the address stands in the body, where no "
        "log keeps it. Guests with it are erased; customers are named, and go with `customers`. Entries "
        "of suppressed addresses stay. Nobody to be erased is no error."
    ),
    response_description="Erased",
    opt=declare(examples=ERASE),
)
async def erase_users(request: ApiRequest, data: JSONBody[EraseIn]) -> ErasedOut:
    """Erase; nothing brings the data back."""
    selector = UserSelector(user_id=data.user_id, email=data.email, phone=data.phone)
    return ErasedOut.of(await request.services.erase_users(selector, request.mode, customers=data.customers))


ROUTES: list[ControllerRouterHandler] = [list_users, show_user, save_user, erase_user, erase_users]
