"""Answers about templates, triggers, channels and users."""

from datetime import datetime
from typing import Annotated, Self

import msgspec
from msgspec import Meta, field

from application.channel.ports import Channel
from application.kernel.versioned import Versioned
from application.template.find import FoundTemplate
from application.template.ports import TemplateHead
from application.user.erase import Erased
from application.user.shown_user import ShownUser
from domain.template.template import Variable
from domain.trigger.trigger import Trigger
from entrypoints.http.bodies.catalog import ToIn
from entrypoints.http.views.view import View


class TemplateOut(View):
    """One version of a template, and which version is in use."""

    id: str
    version: int
    name: str
    channel_type: str
    subject_template: str | None
    body_template: str | None
    html_body_template: str | None
    variables: dict[str, Variable]
    is_active: bool
    active_version: int | None
    latest_version: int

    @classmethod
    def of(cls, found: FoundTemplate) -> Self:
        """As it is shown."""
        head, version = found.head, found.version
        return cls.copy(
            version,
            channel_type=version.channel,
            subject_template=version.subject,
            body_template=version.body,
            html_body_template=version.html_body,
            is_active=version.version == head.active,
            active_version=head.active,
            latest_version=head.latest,
        )


class TemplateHeadOut(View):
    """A template in a list."""

    id: str
    name: str
    channel_type: str
    active_version: int | None
    latest_version: int

    @classmethod
    def of(cls, head: TemplateHead) -> Self:
        """As it is shown."""
        return cls.copy(
            head, channel_type=head.channel, active_version=head.active, latest_version=head.latest
        )


class TriggerOut(View):
    """A trigger."""

    id: str
    event: str
    is_enabled: bool
    notification_type: str
    template_id: str
    channel_type: str | None
    klass: str = field(name="class")
    priority: str
    to: ToIn
    data: str
    key: str
    metadata: dict[str, str]
    updated_at: datetime

    @classmethod
    def of(cls, kept: Versioned[Trigger]) -> Self:
        """As it is shown."""
        trigger = kept.value
        return cls.copy(
            trigger,
            is_enabled=trigger.enabled,
            notification_type=trigger.type,
            template_id=trigger.template,
            channel_type=trigger.channel,
            priority=trigger.priority.label,
            to=ToIn(**msgspec.structs.asdict(trigger.to)),
            updated_at=kept.updated_at,
        )


class ChannelOut(View):
    """How a channel is run."""

    channel_type: str
    is_enabled: bool
    when_disabled: str
    is_paused: bool
    providers: tuple[str, ...]
    updated_at: datetime

    @classmethod
    def of(cls, kept: Versioned[Channel]) -> Self:
        """As it is shown."""
        channel = kept.value
        return cls.copy(
            channel,
            channel_type=channel.channel,
            is_enabled=channel.enabled,
            is_paused=channel.paused,
            updated_at=kept.updated_at,
        )


class UserOut(View):
    """A customer or guest of the mirror."""

    id: Annotated[str | None, Meta(description="the shop's own user id; null for guests")]
    guest: bool
    email: str | None
    phone: str | None
    name: str | None
    locale: str | None
    timezone: str | None
    created_at: datetime | None
    updated_at: datetime | None

    @classmethod
    def of(cls, shown: ShownUser) -> Self:
        """As it is shown."""
        person = shown.person
        return cls.copy(
            shown.profile,
            id=shown.profile.user_id,
            guest=person.guest,
            created_at=person.created_at,
            updated_at=person.updated_at,
        )


class ErasedOut(View):
    """What was erased, and who has the address and was not."""

    erased: int
    customers_kept: int
    customer_ids: Annotated[tuple[str, ...], Meta(description="of the first hundred of them")]

    @classmethod
    def of(cls, done: Erased) -> Self:
        """As it is shown."""
        return cls(erased=done.erased, customers_kept=done.kept, customer_ids=done.kept_ids)
