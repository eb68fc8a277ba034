"""One template as its editors see it."""

from dataclasses import dataclass

import msgspec

from application.template.ports import TemplateHead, Templates
from domain.kernel.errors import NotFound
from domain.template.template import Template


class FoundTemplate(msgspec.Struct, frozen=True):
    """A version, and how its template stands."""

    head: TemplateHead
    version: Template


@dataclass(frozen=True, slots=True, kw_only=True)
class FindTemplate:
    """Reads past the cache: an editor must see what was just saved."""

    templates: Templates

    async def __call__(self, template: str, version: int | None = None) -> FoundTemplate:
        """The given version, or the latest.

        Raises:
            NotFound: no such template or version.
        """
        heads = await self.templates.page("", 1, template=template)
        if not heads:
            raise NotFound(f"no template '{template}'")
        found = await self.templates.find(template, version or heads[0].latest)
        if found is None:
            raise NotFound(f"template '{template}' has no version {version}")
        return FoundTemplate(heads[0], found)
