"""From prepared requests to rows: ids derived, content sealed, keys wrapped.  CPU only, no waiting."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec

from application.notification.ports import NewDelivery, NewNotification, NewUser
from application.notification.prepare import Prepared, ResolvedRecipient
from application.privacy.ports import DataKey, Vault
from application.privacy.sealing import seal_content, seal_profile, wrap_content_key
from domain.kernel.channel import Lane, Mode
from domain.kernel.ids import delivery_id, time_of
from domain.notification.routing import ChannelRoute, Routing

_encode = msgspec.json.Encoder(decimal_format="number").encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """Seals a batch under the keys its users have, making keys for those that have none."""

    vault: Vault

    def __call__(
        self, batch: Sequence[Prepared], known: Mapping[UUID, bytes]
    ) -> tuple[list[NewNotification], list[NewUser]]:
        """Rows for a batch.

        Args:
            known: wrapped keys of the users that have one.
        """
        keys: dict[UUID, DataKey] = {}
        users: dict[UUID, NewUser] = {}
        notifications = []
        for prepared in batch:
            for resolved in prepared.resolved_recipients:
                self._user(resolved, prepared.request.mode, known, keys, users)
            notifications.append(self._notification(prepared, keys))
        return notifications, [users[user] for user in sorted(users)]

    def _user(
        self,
        resolved: ResolvedRecipient,
        mode: Mode,
        known: Mapping[UUID, bytes],
        keys: dict[UUID, DataKey],
        users: dict[UUID, NewUser],
    ) -> None:
        user, profile = resolved.user, resolved.profile
        before = users.get(user)
        if before is not None and profile is None:
            return
        if before is not None:
            wrapped = before.data_key
        elif user in known:
            wrapped = known[user]
            keys[user] = self.vault.unwrap(wrapped, user)
        else:
            keys[user] = self.vault.create()
            wrapped = self.vault.wrap(keys[user], user)
        users[user] = NewUser(
            id=user,
            mode=mode,
            guest=resolved.guest,
            data_key=wrapped,
            profile=seal_profile(keys[user], user, profile) if profile is not None else None,
            email_index=resolved.email_index,
            phone_index=resolved.phone_index,
            locale=profile.locale if profile is not None else None,
            timezone=profile.timezone if profile is not None else None,
        )

    def _notification(self, prepared: Prepared, keys: Mapping[UUID, DataKey]) -> NewNotification:
        request, template = prepared.request, prepared.template
        content_key = self.vault.create()
        several = len(prepared.routes) > 1
        first = several and request.routing is Routing.FIRST
        deliveries = []
        for resolved in prepared.resolved_recipients:
            for n, channel in enumerate(prepared.channels, start=1):
                delivery = delivery_id(prepared.id, resolved.user, channel)
                wrapped = wrap_content_key(keys[resolved.user], content_key, delivery)
                deliveries.append(
                    NewDelivery(
                        id=delivery,
                        user=resolved.user,
                        slot=channel,
                        content_key=wrapped,
                        channel=channel if several else None,
                        rank=n if first else None,
                    )
                )
        return NewNotification(
            id=prepared.id,
            mode=request.mode,
            type=request.type,
            klass=request.policy_class,
            lane=Lane(prepared.channel, request.urgency, request.mode),
            template_id=template.id if template else None,
            template_version=template.version if template else None,
            routing=request.routing if several else None,
            routes=kept_routes(prepared),
            category=request.category,
            content=seal_content(content_key, prepared.id, request.content),
            metadata=_encode(request.metadata) if request.metadata else None,
            created_by=request.created_by,
            created_at=time_of(prepared.id),
            deliveries=tuple(deliveries),
            key=prepared.key,
            fingerprint=prepared.fingerprints[0],
            legacy_key=prepared.legacy_key,
            traceparent=request.traceparent,
            from_intake=prepared.from_intake,
        )


def kept_routes(prepared: Prepared) -> tuple[ChannelRoute, ...]:
    """As the notification's row keeps them."""
    return tuple(
        ChannelRoute(
            channel=route.channel,
            template=route.template.id if route.template else None,
            version=route.template.version if route.template else None,
        )
        for route in prepared.routes
    )
