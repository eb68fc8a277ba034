"""Save a template: checked, then kept as its next immutable version."""

from collections.abc import Collection
from dataclasses import dataclass

from application.template.cached import CachedTemplates
from application.template.ports import Renderer, Templates
from domain.kernel.errors import Fault, Invalid
from domain.kernel.text import UNSEEN, hides
from domain.template.faults import content_faults
from domain.template.template import Template


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveTemplate:
    """The first version and every later one."""

    templates: Templates
    cached: CachedTemplates
    renderer: Renderer
    channels: Collection[str]
    senders: Collection[str] = ()
    """The names of the senders of e-mail that are configured."""

    async def __call__(self, draft: Template, *, expected: int | None, activate: bool) -> Template:
        """Save; `expected` is the latest version the caller has seen, 0 to create.

        Raises:
            Invalid: with everything that is wrong with it.
            Conflict: somebody else saved meanwhile, or, with 0, it is there already.
            Overloaded: too much waits to be rendered.
        """
        faults = await self.renderer.check(draft)
        if draft.channel not in self.channels:
            detail = f"'{draft.channel}' is none of {', '.join(sorted(self.channels))}"
            faults.append(Fault("/channel", "unknown_channel", detail))
        faults += content_faults(draft, self.senders)
        faults += [
            Fault(f"/{name}", "bad_character", UNSEEN)
            for name, said in (("id", draft.id), ("name", draft.name))
            if hides(said, joiners=name == "name")
        ]
        if faults:
            raise Invalid(*faults)
        published = await self.renderer.publish(draft)
        if published is not draft and (faults := await self.renderer.check(published)):  # styles take room
            raise Invalid(*faults)
        saved = await self.templates.add(published, expected=expected, activate=activate)
        if activate:
            self.cached.forget(saved.id)
        return saved
