"""The channels of a request and what it says on each: as it says, else as its registered type says."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import msgspec

from application.notification.request_faults import inline_faults, unknown_channel
from application.notification_type.known_types import KnownTypes
from application.template.cached import CachedTemplates
from domain.channel.content import lacking
from domain.kernel.errors import Fault, StoreUnavailable
from domain.kernel.json_values import below
from domain.kernel.text import UNSEEN, hides, unbroken
from domain.notification.request import Content, Request
from domain.notification.routing import Routing, channel_faults
from domain.notification_type.notification_type import NotificationType
from domain.template.template import Template, missing

CATEGORY_MAX = 100


class SpokenRoute(msgspec.Struct, frozen=True, kw_only=True):
    """One channel of a request."""

    channel: str
    template: Template | None = None
    """None: the request's own words."""


class ChosenRoutes(msgspec.Struct, frozen=True, kw_only=True):
    """A request that says everything, and where it goes."""

    request: Request
    routes: tuple[SpokenRoute, ...]
    """At least one; without a channel ("") where none is known, which is a fault."""
    faults: list[Fault]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChooseRoutes:
    """Reads templates and types that are kept in memory."""

    templates: CachedTemplates
    channels: Collection[str]
    types: KnownTypes | None = None
    """None: no type is registered."""

    async def __call__(self, request: Request) -> ChosenRoutes:
        """Choose.

        Raises:
            StoreUnavailable: a template, or the type that alone can say where it goes, is not at hand.
        """
        kind = await self._kind(request)
        if kind is not None:
            request = _completed(request, kind)
        names = () if kind is None and not request.templates else _channels(request, kind)
        if not names and not request.channels:
            return await self._alone(request)
        if len(names) == 1 and not request.channels and not request.templates.keys() - {*names}:
            named = request.template or request.templates.get(names[0])
            if named is None and kind is not None and not _speaks(request.content):
                named = kind.templates.get(names[0])
            alone = msgspec.structs.replace(request, channel=names[0], template=named, templates={})
            return await self._alone(alone)
        return await self._several(request, kind, names or request.channels)

    async def _kind(self, request: Request) -> NotificationType | None:
        if self.types is None:
            return None
        try:
            return await self.types.find(request.type)
        except StoreUnavailable:
            if request.channel or request.channels or request.template:
                return None  # it says where it goes: what it may lack besides has a default
            raise

    async def _alone(self, request: Request) -> ChosenRoutes:
        """The one channel that the request or its template names."""
        template = await self.templates.active(request.template) if request.template else None
        channel = request.channel or (template.channel if template else "")
        faults = self._of_one(request, template, channel)
        faults += _plain_faults(request)
        return ChosenRoutes(
            request=request, routes=(SpokenRoute(channel=channel, template=template),), faults=faults
        )

    def _of_one(self, request: Request, template: Template | None, channel: str) -> list[Fault]:
        inline = request.content
        if request.template is None:
            return inline_faults(inline, channel, self.channels)
        if template is None:
            return [Fault("/templateId", "unknown_template", f"no active template '{request.template}'")]
        faults = missing(template, inline.data)
        if _speaks(inline):
            faults.append(
                Fault("/templateId", "ambiguous", "give a template or subject/body/htmlBody, not both")
            )
        if channel != template.channel:
            detail = f"template '{template.id}' is for {template.channel}, not {channel}"
            faults.append(Fault("/channelType", "wrong_channel", detail))
        elif channel not in self.channels:
            faults.append(unknown_channel(channel, self.channels))
        return faults

    async def _several(
        self, request: Request, kind: NotificationType | None, names: tuple[str, ...]
    ) -> ChosenRoutes:
        faults = [*channel_faults(names, self.channels), *_plain_faults(request)]
        if request.channel is not None:
            faults.append(Fault("/channelType", "ambiguous", "give channelType or channels, not both"))
        given = dict(request.templates)
        faults += [
            Fault(below("/templates", channel), "wrong_channel", f"'{channel}' is not among the channels")
            for channel in given
            if channel not in names
        ]
        if request.template is not None:
            faults += await self._place(request.template, names, given)
        if kind is not None and not _speaks(request.content):
            given = {**kind.templates, **given}
        routes = []
        for n, channel in enumerate(names):
            route, wrong = await self._route(request, n, channel, given.get(channel))
            routes.append(route)
            faults += wrong
        if _speaks(request.content) and all(route.template for route in routes):
            detail = "every channel has a template: leave subject, body and htmlBody out"
            faults.append(Fault("/templates", "ambiguous", detail))
        said = {route.channel: route.template.id for route in routes if route.template}
        request = msgspec.structs.replace(
            request,
            channels=names,
            routing=request.routing or Routing.ALL,
            template=None,
            templates=said,
        )
        return ChosenRoutes(request=request, routes=tuple(routes), faults=faults)

    async def _place(self, named: str, names: Sequence[str], given: dict[str, str]) -> list[Fault]:
        """`templateId` beside several channels speaks on its own channel."""
        template = await self.templates.active(named)
        if template is None:
            return [Fault("/templateId", "unknown_template", f"no active template '{named}'")]
        if template.channel not in names:
            detail = f"template '{named}' is for {template.channel}, which is not among the channels"
            return [Fault("/templateId", "wrong_channel", detail)]
        if given.setdefault(template.channel, named) != named:
            detail = f"templates names another one for {template.channel}"
            return [Fault("/templateId", "ambiguous", detail)]
        return []

    async def _route(
        self, request: Request, n: int, channel: str, named: str | None
    ) -> tuple[SpokenRoute, list[Fault]]:
        if named is None:
            return SpokenRoute(channel=channel), _lacking(request.content, n, channel)
        template, at = await self.templates.active(named), below("/templates", channel)
        route = SpokenRoute(channel=channel, template=template)
        if template is None:
            return route, [Fault(at, "unknown_template", f"no active template '{named}'")]
        if template.channel != channel:
            detail = f"template '{named}' is for {template.channel}, not {channel}"
            return route, [Fault(at, "wrong_channel", detail)]
        return route, missing(template, request.content.data)


def _completed(request: Request, kind: NotificationType) -> Request:
    """With what its type says, where it says nothing itself."""
    return msgspec.structs.replace(
        request,
        klass=request.klass or kind.klass,
        priority=kind.priority if request.priority is None else request.priority,
        category=request.category or kind.category,
        routing=request.routing or kind.routing,
    )


def _channels(request: Request, kind: NotificationType | None) -> tuple[str, ...]:
    """Those that the request names in any way, else those of its type."""
    if request.channels:
        return request.channels
    if request.channel is not None:
        return (request.channel,)
    if request.template is not None and not request.templates:
        return ()
    if kind is not None:
        return kind.channels
    return tuple(request.templates)


def _speaks(content: Content) -> bool:
    return any((content.subject, content.body, content.html_body))


def _plain_faults(request: Request) -> list[Fault]:
    """Of what stands beside the channels."""
    if request.category is None:
        return []
    if not 1 <= len(request.category) <= CATEGORY_MAX:
        return [Fault("/category", "bad_length", f"1 to {CATEGORY_MAX} characters")]
    return [Fault("/category", "bad_character", UNSEEN)] if hides(request.category) else []


def _lacking(content: Content, n: int, channel: str) -> list[Fault]:
    """What the request's own words lack on one of several channels."""
    parts = content.parts.get(channel, {})
    if detail := lacking(channel, content.subject, content.body, content.html_body, parts):
        return [
            Fault(f"/channels/{n}", "missing", f"name a template for {channel} in templates, or: {detail}")
        ]
    if channel == "email" and not unbroken(content.subject or "").strip():
        return [Fault("/subject", "missing", "an e-mail needs a subject")]
    return []
