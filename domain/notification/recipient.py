"""The `recipient` variable of templates."""

from domain.kernel.json_values import Json
from domain.notification.request import Profile
from domain.template.template import RECIPIENT


def variables(profile: Profile) -> dict[str, Json]:
    """The `recipient` variable: fields that `users` has not are empty strings."""
    fields = ("user_id", "email", "phone", "name", "locale", "timezone")
    return {RECIPIENT: {name: getattr(profile, name) or "" for name in fields}}
