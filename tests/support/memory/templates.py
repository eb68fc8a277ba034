"""Templates in memory."""

from dataclasses import dataclass

import msgspec

from application.template.ports import TemplateHead
from domain.kernel.errors import Conflict, NotFound
from domain.template.template import Template
from tests.support.memory.rows import MemoryRows


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryTemplates:
    """Implements `Templates`."""

    rows: MemoryRows

    async def find(self, template: str, version: int | None = None) -> Template | None:
        versions = self.rows.templates.get(template, [])
        number = self.rows.active_templates.get(template) if version is None else version
        return versions[number - 1] if number is not None and 1 <= number <= len(versions) else None

    async def add(self, draft: Template, *, expected: int | None, activate: bool) -> Template:
        versions = self.rows.templates.get(draft.id, [])
        _check(draft.id, len(versions), expected)
        saved = msgspec.structs.replace(draft, version=len(versions) + 1)
        self.rows.templates[draft.id] = [*versions, saved]
        if activate:
            self.rows.active_templates[draft.id] = saved.version
        return saved

    async def activate(self, template: str, version: int | None, *, expected: int | None) -> TemplateHead:
        versions = self.rows.templates.get(template, [])
        if not versions:
            raise NotFound(f"there is no template '{template}'")
        _check(template, len(versions), expected)
        if version is None:
            self.rows.active_templates.pop(template, None)
        elif await self.find(template, version) is None:
            raise NotFound(f"template '{template}' has no version {version}")
        else:
            self.rows.active_templates[template] = version
        return self._head(template)

    async def page(
        self, after: str, limit: int, *, channel: str | None = None, template: str | None = None
    ) -> list[TemplateHead]:
        heads = [self._head(name) for name in sorted(self.rows.templates) if name > after]
        wanted = [
            head
            for head in heads
            if (channel is None or head.channel == channel) and (template is None or head.id == template)
        ]
        return wanted[:limit]

    def _head(self, template: str) -> TemplateHead:
        newest = self.rows.templates[template][-1]
        return TemplateHead(
            id=template,
            name=newest.name,
            channel=newest.channel,
            latest=newest.version,
            active=self.rows.active_templates.get(template),
        )


def _check(template: str, latest: int, expected: int | None) -> None:
    if expected not in (None, latest):
        raise Conflict(f"template '{template}' is at version {latest}, not {expected}")
