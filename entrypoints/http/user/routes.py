"""The shop's customers in `users`, by the shop's own user ids."""

from collections.abc import Sequence
from typing import Annotated
from urllib.parse import quote
from uuid import UUID

from litestar import delete, get, post, put
from litestar.types import ControllerRouterHandler
from msgspec import Meta

from application.user.erase import Named
from domain.kernel.errors import Conflict, Fault, Invalid, KeyUnavailable, NotFound
from domain.kernel.text import UNSEEN, hides
from domain.user.update import UpdateOutcome, UserUpdate
from entrypoints.http.kit.answers import Answer, created, gone, ok
from entrypoints.http.kit.body import Body
from entrypoints.http.kit.openapi.operation import Access, documented
from entrypoints.http.kit.paging import ListQuery, Page, page, position
from entrypoints.http.kit.path_ids import user_id
from entrypoints.http.kit.preconditions import etag, expect
from entrypoints.http.kit.query import NoQuery, read_query
from entrypoints.http.kit.request import Req, call_of, services_of
from entrypoints.http.user.bodies import ERASE, USER, EraseIn, UserIn
from entrypoints.http.user.views import ErasedOut, UserOut

_TAG = "Users"
_body = Body(UserIn)
_erase = Body(EraseIn)


class UserQuery(ListQuery, frozen=True, kw_only=True):
    """Which users."""

    email: Annotated[str, Meta(max_length=320, description="those with this address")] | None = None


@get(
    "/users",
    opt=documented(
        tag=_TAG,
        access=Access.OWN,
        summary="List users, or find them by e-mail address",
        description=(
            "Customers and guests; several may share an address. Test keys have users of their own, apart "
            "from the shop's: they see and change those alone."
        ),
        query=UserQuery,
        returns={200: (Page[UserOut], "A page")},
        answer_headers=("Link",),
    ),
)
async def list_users(request: Req) -> Answer:
    """All, or those with an address."""
    query = read_query(request, UserQuery)
    rows = await services_of(request).list_users(
        call_of(request).mode,
        email=query.email,
        after=position(request, query.cursor, UUID),
        limit=query.limit + 1,
    )
    return page(request, rows, query.limit, shown=UserOut.of, at=lambda row: row.user.id)


@get(
    "/users/{user_id:path}",
    opt=documented(
        tag=_TAG,
        access=Access.OWN,
        summary="Read a user",
        query=NoQuery,
        returns={200: (UserOut, "The user")},
        answer_headers=("ETag",),
        problems=("not-found",),
    ),
)
async def show_user(request: Req) -> Answer:
    """One."""
    read_query(request, NoQuery)
    found = await services_of(request).find_user(user_id(request.scope), call_of(request).mode)
    return ok(UserOut.of(found), etag(found.user.version))


@put(
    "/users/{user_id:path}",
    opt=documented(
        tag=_TAG,
        access=Access.OWN,
        summary="Create or replace a user",
        description="Shops that publish user events need not call this: users follow the events.",
        body=UserIn,
        examples=USER,
        query=NoQuery,
        headers=("If-Match", "If-None-Match"),
        returns={200: (UserOut, "Replaced"), 201: (UserOut, "Created")},
        answer_headers=("Location", "ETag"),
        problems=("not-found", "conflict", "precondition-failed", "precondition-required"),
    ),
)
async def save_user(request: Req) -> Answer:
    """Create or replace."""
    read_query(request, NoQuery)
    body = await _body.read(request)
    user, mode, services = user_id(request.scope), call_of(request).mode, services_of(request)
    try:
        version: int | None = (await services.find_user(user, mode)).user.version
    except NotFound:
        version = None
        if hides(user):  # those that were kept in earlier days can be mended and erased
            raise Invalid(Fault("", "bad_character", f"the user id in the path: {UNSEEN}")) from None
    expect(request, version)
    [done] = await services.update_users([body.update(user)], mode=mode, expected=version or 0)
    _hold(done.outcome, done.faults)
    found = await services.find_user(user, mode)
    shown, tag = UserOut.of(found), etag(found.user.version)
    return ok(shown, tag) if version else created(shown, f"/api/users/{quote(user, safe='')}", tag)


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
    "/users/{user_id:path}",
    status_code=200,  # for Litestar, which allows no body otherwise: the answer itself is a 204
    opt=documented(
        tag=_TAG,
        access=Access.OWN,
        summary="Erase a user",
        description=(
            "Deletes the key their data is encrypted under: nothing of it can be read again, deliveries "
            "still waiting for them are not sent. Needs no `If-Match`: whatever changed meanwhile goes too."
        ),
        query=NoQuery,
        returns={204: (None, "Erased")},
        problems=("not-found",),
    ),
)
async def erase_user(request: Req) -> Answer:
    """Erase, for good."""
    read_query(request, NoQuery)
    user, mode, services = user_id(request.scope), call_of(request).mode, services_of(request)
    await services.find_user(user, mode)
    await services.update_users([UserUpdate(user_id=user, deleted=True)], mode=mode)
    return gone()


@post(
    "/users:erase",
    status_code=200,
    opt=documented(
        tag=_TAG,
        access=Access.OWN,
        summary="Erase a guest by their address, or whoever has it",
        description=(
            "As for one user by their id, for those who have none; the address stands in the body, where no "
            "log keeps it. Guests with it are erased; customers are named, and go with `customers`. Entries "
            "of suppressed addresses stay. Nobody to be erased is no error."
        ),
        body=EraseIn,
        examples=ERASE,
        query=NoQuery,
        returns={200: (ErasedOut, "Erased")},
    ),
)
async def erase_users(request: Req) -> Answer:
    """Erase, for good."""
    read_query(request, NoQuery)
    body = await _erase.read(request)
    named = Named(user_id=body.user_id, email=body.email, phone=body.phone)
    mode, erase = call_of(request).mode, services_of(request).erase_users
    return ok(ErasedOut.of(await erase(named, mode, customers=body.customers)))


ROUTES: list[ControllerRouterHandler] = [list_users, show_user, save_user, erase_user, erase_users]
