"""Answers about templates."""

from typing import Self

from application.template.find import FoundTemplate
from application.template.ports import TemplateHead
from domain.kernel.json_values import Json
from domain.template.template import Variable
from entrypoints.http.kit.answers import View


class TemplateOut(View, frozen=True, kw_only=True):
    """One version of a template, and which version is in use."""

    id: str
    version: int
    name: str
    channel_type: str
    subject_template: str | None
    body_template: str | None
    html_body_template: str | None
    parts: dict[str, Json]
    variables: dict[str, Variable]
    is_active: bool
    active_version: int | None
    latest_version: int

    @classmethod
    def of(cls, found: FoundTemplate) -> Self:
        """Made from what the application returns."""
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


class TemplateHeadOut(View, frozen=True, kw_only=True):
    """A template in a list."""

    id: str
    name: str
    channel_type: str
    active_version: int | None
    latest_version: int

    @classmethod
    def of(cls, head: TemplateHead) -> Self:
        """Made from what the application returns."""
        return cls.copy(
            head, channel_type=head.channel, active_version=head.active, latest_version=head.latest
        )
