"""Messages between a process and its rendering children: four octets of length, and a body.

Questions are JSON, because that keeps numbers as they came; answers are MessagePack.
"""

import msgspec

from domain.kernel.errors import Fault
from domain.kernel.json_values import Json
from domain.kernel.number import number, read_json
from domain.template.template import Rendered, Template

HEAD = 4


class Check(msgspec.Struct, frozen=True, tag="check"):
    """Everything wrong with a template."""

    template: Template


class Compile(msgspec.Struct, frozen=True, tag="compile"):
    """Make code of it."""

    template: Template


class Inline(msgspec.Struct, frozen=True, tag="inline"):
    """Put the styles of its HTML inline."""

    template: Template


class Render(msgspec.Struct, frozen=True, tag="render"):
    """Render it for each of those, with one allowance for all."""

    template: Template
    data: dict[str, Json]
    """What they share."""
    own: list[dict[str, Json]]
    """What each has beside that."""


class Faults(msgspec.Struct, frozen=True, tag="faults"):
    """What is wrong: with a template, or for one of those it is rendered for."""

    faults: list[Fault]


class Compiled(msgspec.Struct, frozen=True, tag="compiled"):
    """Name, marshalled code and cost of each part."""

    parts: list[tuple[str, bytes, int]]


class Inlined(msgspec.Struct, frozen=True, tag="inlined"):
    """HTML with its styles inline."""

    html: str


class RenderedOne(msgspec.Struct, frozen=True, tag="words"):
    """One that was rendered."""

    rendered: Rendered
    """Without its parts."""
    parts: bytes = b"{}"
    """JSON, which keeps numbers as they came."""

    @classmethod
    def of(cls, rendered: Rendered) -> "RenderedOne":
        """Ready to be sent."""
        if not rendered.parts:
            return cls(rendered)
        return cls(msgspec.structs.replace(rendered, parts={}), _questions.encode(rendered.parts))

    def whole(self) -> Rendered:
        """As it was rendered."""
        if self.parts == b"{}":
            return self.rendered
        return msgspec.structs.replace(self.rendered, parts=read_json(self.parts))


class RenderedEach(msgspec.Struct, frozen=True, tag="made"):
    """What became of each member of `Render.own`, in their order."""

    each: list[RenderedOne | Faults]


Question = Check | Compile | Inline | Render
Answer = Faults | Compiled | Inlined | RenderedEach

_questions = msgspec.json.Encoder(decimal_format="number")
_asked = msgspec.json.Decoder(Question, float_hook=number)
_answers = msgspec.msgpack.Encoder()
_answered = msgspec.msgpack.Decoder(Answer)


def framed(message: Question | Answer) -> bytes:
    """One message, ready to be sent."""
    body = (_questions if isinstance(message, Question) else _answers).encode(message)
    return len(body).to_bytes(HEAD, "big") + body


def question(body: bytes) -> Question:
    """Read what a child is asked."""
    asked: Question = _asked.decode(body)
    return asked


def answer(body: bytes) -> Answer:
    """Read what a child answers.

    Raises:
        msgspec.DecodeError: no answer of ours.
    """
    answered: Answer = _answered.decode(body)
    return answered
