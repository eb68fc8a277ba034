"""Choose the version of a template that is used from now on, or none."""

from dataclasses import dataclass

from application.template.cached import CachedTemplates
from application.template.ports import TemplateHead, Templates


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivateTemplate:
    """Other processes follow within seconds; notifications accepted before keep their version."""

    templates: Templates
    cached: CachedTemplates

    async def __call__(self, template: str, version: int | None, *, expected: int | None) -> TemplateHead:
        """Activate; None switches the template off.

        Raises:
            NotFound, Conflict.
        """
        head = await self.templates.activate(template, version, expected=expected)
        self.cached.forget(template)
        return head
