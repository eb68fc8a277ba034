"""What is done to a template once, when it is saved: styles of its HTML are put inline."""

from domain.kernel.errors import Fault, Invalid
from domain.template.template import Template


def has_styles(template: Template) -> bool:
    """Whether there is anything to do; `parts.inlineCss` can say no."""
    return (
        template.channel == "email"
        and template.parts.get("inlineCss") is not False
        and "<style" in (template.html_body or "").lower()
    )


def inlined(template: Template) -> str:
    """Its HTML with the styles inline.

    Raises:
        Invalid: they cannot be put there without changing more.
    """
    from adapters.rendering.styles import (  # only who saves templates needs it
        CannotInline,
        with_styles_inline,
    )

    try:
        return with_styles_inline(template.html_body or "")
    except CannotInline as error:
        detail = f"styles cannot be put inline: {error}; or set parts.inlineCss to false"
        raise Invalid(Fault("/htmlBody", "cannot_inline", detail)) from None
