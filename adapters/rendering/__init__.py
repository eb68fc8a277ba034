"""Templates into words, over Jinja2: a small language, no Python behind it, bounded work."""

from adapters.rendering.renderer import JinjaRenderer

__all__ = ["JinjaRenderer"]
