"""How personal data is sealed: whose key, and which place each ciphertext is bound to.

A notification's content is sealed once under a key of its own; that key is wrapped under the key of every
recipient and kept with the delivery.  Erasing a user makes their copy useless and nobody else's.
"""

from uuid import UUID

import msgspec

from application.privacy.ports import DataKey
from domain.device.device import Device
from domain.kernel.number import number
from domain.notification.request import Content, Profile

_encode = msgspec.json.Encoder(decimal_format="number").encode
_content = msgspec.json.Decoder(Content, float_hook=number)
_profile = msgspec.json.Decoder(Profile)
_device = msgspec.json.Decoder(Device)


def seal_profile(key: DataKey, user: UUID, profile: Profile) -> bytes:
    """For `users.profile`."""
    return key.seal(_encode(profile), b"users.profile:" + user.bytes)


def open_profile(key: DataKey, user: UUID, sealed: bytes) -> Profile:
    """Read `users.profile`.

    Raises:
        Unreadable: another user's, changed, or erased.
    """
    return _profile.decode(key.open(sealed, b"users.profile:" + user.bytes))


def seal_content(key: DataKey, notification: UUID, content: Content) -> bytes:
    """For `notifications.content`; `key` is the notification's content key."""
    return key.seal(_encode(content), b"notifications.content:" + notification.bytes)


def open_content(key: DataKey, notification: UUID, sealed: bytes) -> Content:
    """Read `notifications.content`.

    Raises:
        Unreadable: as above.
    """
    return _content.decode(key.open(sealed, b"notifications.content:" + notification.bytes))


def wrap_content_key(user_key: DataKey, content_key: DataKey, delivery: UUID) -> bytes:
    """For `notification_deliveries.content_key`."""
    return user_key.wrap(content_key, b"deliveries.content_key:" + delivery.bytes)


def unwrap_content_key(user_key: DataKey, wrapped: bytes, delivery: UUID) -> DataKey:
    """Read `notification_deliveries.content_key`.

    Raises:
        Unreadable: as above.
    """
    return user_key.unwrap(wrapped, b"deliveries.content_key:" + delivery.bytes)


def seal_device(key: DataKey, id_: bytes, device: Device) -> bytes:
    """For `devices.sealed`; `key` is its user's, `id_` the row's."""
    return key.seal(_encode(device), b"devices.sealed:" + id_)


def open_device(key: DataKey, id_: bytes, sealed: bytes) -> Device:
    """Read `devices.sealed`.

    Raises:
        Unreadable: as above.
    """
    return _device.decode(key.open(sealed, b"devices.sealed:" + id_))
