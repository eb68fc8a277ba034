"""Providers: who carries a channel's messages."""

from adapters.gateways.options import SmtpOptions
from adapters.gateways.registry import ProviderGateways
from adapters.gateways.sandbox import SandboxOptions

__all__ = ["ProviderGateways", "SandboxOptions", "SmtpOptions"]
