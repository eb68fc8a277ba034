"""Renders templates with Jinja2: a small language without access to Python objects, and bounded work."""

from adapters.rendering.renderer import JinjaRenderer

__all__ = ["JinjaRenderer"]
