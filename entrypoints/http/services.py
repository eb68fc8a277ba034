"""What the HTTP layer needs: the use cases, the ports of plain reads, and a few callables."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import msgspec
from prometheus_client import CollectorRegistry

from application.access.authenticate import Authenticate
from application.attempt.ports import UnknownAttempts
from application.attempt.resolve import ResolveAttempt
from application.channel.drop_backlog import DropBacklog
from application.channel.ports import Channels
from application.channel.remove import RemoveChannel
from application.channel.save import SaveChannel
from application.dead_letter.ports import DeadLetterReader
from application.delivery.page import ListDeliveries
from application.device.list import ListDevices
from application.device.update import UpdateDevices
from application.intake.submit_with_intake import SubmitWithIntake
from application.job.cancel import CancelJob
from application.job.ports import Jobs
from application.job.start import StartJob
from application.kernel.ports import Clock, Ids
from application.notification.cancel import CancelNotification
from application.notification.find import FindNotification
from application.notification.history import ListHistory
from application.notification.page import ListNotifications
from application.notification.preview import PreviewNotification
from application.notification.submit import SubmitNotification
from application.notification_type.delete import DeleteNotificationType
from application.notification_type.ports import NotificationTypes
from application.notification_type.save import SaveNotificationType
from application.provider.force import ForceProvider
from application.provider.list import ListProviders
from application.provider.ports import DescribedProviders
from application.provider.presets import ProviderPreset
from application.provider.remove_description import RemoveDescription
from application.provider.save_description import SaveDescription
from application.template.activate import ActivateTemplate
from application.template.find import FindTemplate
from application.template.ports import Templates
from application.template.save import SaveTemplate
from application.trigger.ports import Triggers
from application.trigger.save import SaveTrigger
from application.user.erase import EraseUsers
from application.user.find import FindUser
from application.user.page import ListUsers
from application.user.update import UpdateUsers


class Readiness(msgspec.Struct, frozen=True, kw_only=True):
    """Whether requests should come here, and how each part stands."""

    ready: bool
    parts: dict[str, str] = {}


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """One request, answered: what a wide event is made of.  No addresses, no bodies, no query strings."""

    method: str
    route: str | None
    """The template (`/api/users/{user_id}`), never the path itself; None: no such route."""
    status: int
    """0: the connection ended before an answer."""
    seconds: float
    trace_id: str
    key: UUID | None
    """The API key's id."""
    error: Exception | None
    """What was answered as a problem; with status 500 nobody expected it: log its traceback."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operations:
    """The use cases and ports of what operators do."""

    dead_letters: DeadLetterReader
    unknown: UnknownAttempts
    resolve_attempt: ResolveAttempt
    jobs: Jobs
    start_job: StartJob
    cancel_job: CancelJob
    drop_backlog: DropBacklog
    remove_channel: RemoveChannel
    list_providers: ListProviders
    force_provider: ForceProvider
    described: DescribedProviders
    save_description: SaveDescription
    remove_description: RemoveDescription
    presets: Sequence[ProviderPreset]


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpServices:
    """Filled by the composition root."""

    authenticate: Authenticate
    accept: SubmitNotification | SubmitWithIntake
    preview: PreviewNotification
    cancel: CancelNotification
    find_notification: FindNotification
    list_notifications: ListNotifications
    list_deliveries: ListDeliveries
    list_history: ListHistory
    save_template: SaveTemplate
    activate_template: ActivateTemplate
    find_template: FindTemplate
    templates: Templates
    notification_types: NotificationTypes
    save_notification_type: SaveNotificationType
    delete_notification_type: DeleteNotificationType
    save_trigger: SaveTrigger
    triggers: Triggers
    save_channel: SaveChannel
    channels: Channels
    update_users: UpdateUsers
    erase_users: EraseUsers
    find_user: FindUser
    list_users: ListUsers
    update_devices: UpdateDevices
    list_devices: ListDevices
    operations: Operations
    clock: Clock
    ids: Ids
    readiness: Callable[[], Awaitable[Readiness]]
    registry: CollectorRegistry
    observe: Callable[[Seen], None]
    """Called once for each request, after its answer."""
    cursor_key: bytes = field(repr=False)
    """At least 16 bytes, the same in every process: signs the cursors of lists."""
