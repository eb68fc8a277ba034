"""Templates, and the processes that render them."""

from dependency_injector import containers, providers

from adapters.postgres.template.templates import PostgresTemplates
from adapters.rendering.bounded import BoundedRenderer
from adapters.rendering.pool import RenderingPool
from application.template.activate import ActivateTemplate
from application.template.cached import CachedTemplates
from application.template.check import CheckTemplate
from application.template.find import FindTemplate
from application.template.save import SaveTemplate
from config.wiring.kernel import KernelRoom
from config.wiring.rooms import needs

Single = providers.Singleton


class TemplateRoom(containers.DeclarativeContainer):
    """Versions of templates never change: who sends reads them from `cached`."""

    kernel = needs(KernelRoom)

    rendering_pool = Single(RenderingPool, kernel.telemetry.provided.trouble)
    renderer = Single(BoundedRenderer, rendering_pool)
    templates = Single(PostgresTemplates, database=kernel.database)
    cached = Single(CachedTemplates, templates=templates, clock=kernel.clock)

    save = Single(
        SaveTemplate,
        templates=templates,
        cached=cached,
        renderer=renderer,
        channels=kernel.channels_known,
        senders=kernel.senders,
    )
    check = Single(CheckTemplate, renderer=renderer, senders=kernel.senders)
    activate = Single(ActivateTemplate, templates=templates, cached=cached)
    find = Single(FindTemplate, templates=templates)
