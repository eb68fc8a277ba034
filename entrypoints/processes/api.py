"""What the REST API of a process is given: the use cases and readers of its container."""

from collections.abc import Awaitable, Callable

from config.catalog import load_presets
from config.container import Container
from entrypoints.http.services import HttpServices, Operations, Readiness
from entrypoints.processes.http_requests import observer


def http_services(container: Container, *, readiness: Callable[[], Awaitable[Readiness]]) -> HttpServices:
    """The services of the API, made by the container."""
    telemetry = container.kernel.telemetry()
    return HttpServices(
        authenticate=container.access.authenticate(),
        accept=container.intake.accept(),
        preview=container.notification.preview(),
        cancel=container.notification.cancel(),
        find_notification=container.notification.find(),
        list_notifications=container.notification.list(),
        list_deliveries=container.delivery.list(),
        list_history=container.notification.history(),
        save_template=container.template.save(),
        activate_template=container.template.activate(),
        find_template=container.template.find(),
        templates=container.template.templates(),
        notification_types=container.notification_type.types(),
        save_notification_type=container.notification_type.save(),
        delete_notification_type=container.notification_type.delete(),
        save_trigger=container.trigger.save(),
        triggers=container.trigger.triggers(),
        save_channel=container.channel.save(),
        channels=container.channel.channels(),
        update_users=container.user.update_users(),
        update_devices=container.device.update(),
        list_devices=container.device.list(),
        erase_users=container.user.erase(),
        find_user=container.user.find(),
        list_users=container.user.list(),
        operations=_operations(container),
        clock=container.kernel.clock(),
        ids=container.kernel.ids(),
        readiness=readiness,
        registry=telemetry.metrics.registry,
        observe=observer(telemetry),
        cursor_key=container.access.cursor_key(),
    )


def _operations(container: Container) -> Operations:
    return Operations(
        dead_letters=container.dead_letter.reader(),
        unknown=container.attempt.unknown(),
        resolve_attempt=container.attempt.resolve(),
        jobs=container.job.jobs(),
        start_job=container.job.start(),
        cancel_job=container.job.cancel(),
        drop_backlog=container.channel.drop_backlog(),
        remove_channel=container.channel.remove(),
        list_providers=container.channel.list_providers(),
        force_provider=container.provider.force(),
        described=container.provider.described(),
        save_description=container.provider.save_description(),
        remove_description=container.channel.remove_description(),
        presets=load_presets(),
    )
