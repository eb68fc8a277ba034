"""A rendering child: reads a question from stdin, answers on stdout, ends with its parent or at its limit.

It is a fresh interpreter, not a fork: it has neither the parent's connections (a lock held over one must die
with the parent) nor its secrets.
"""

import marshal
import os
import resource
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from adapters.rendering.allowance import Allowance, WorkExceeded
from adapters.rendering.frames import (
    HEAD,
    Answer,
    Check,
    Compile,
    Compiled,
    Faults,
    Inline,
    Inlined,
    Question,
    Render,
    RenderedEach,
    RenderedOne,
    framed,
    question,
)
from adapters.rendering.publishing import inlined
from adapters.rendering.renderer import JinjaRenderer, too_much_work
from domain.kernel.errors import Invalid

CPU_MAX = 2.0
"""Seconds of processor time for one question: the kernel ends a child that needs more."""
MEMORY_MAX = 1024 * 1024 * 1024
"""Bytes of address space."""
KEPT_MAX = 16 * 1024 * 1024
NICE = 5
READY = b"\1"


def main() -> None:
    """Answer questions until stdin ends."""
    _confine()
    renderer = JinjaRenderer(kept=KEPT_MAX)
    asking, answering = sys.stdin.buffer, sys.stdout.buffer
    answering.write(READY)
    answering.flush()
    while (body := _read(asking)) is not None:
        signal.setitimer(signal.ITIMER_PROF, CPU_MAX)
        said = framed(answer_to(question(body), renderer))
        signal.setitimer(signal.ITIMER_PROF, 0)
        answering.write(said)
        answering.flush()


def answer_to(asked: Question, renderer: JinjaRenderer) -> Answer:
    """Do what is asked."""
    try:
        match asked:
            case Check(template):
                return Faults(renderer.check(template))
            case Compile(template):
                codes = renderer.compile(template)
                return Compiled([(each.part, marshal.dumps(each.code), each.cost) for each in codes])
            case Inline(template):
                return Inlined(inlined(template))
            case Render():
                return _rendered(asked, renderer)
    except Invalid as refused:
        return Faults(list(refused.faults))


def _rendered(asked: Render, renderer: JinjaRenderer) -> Answer:
    template, allowance = asked.template, Allowance()
    program = renderer.kept(template) or renderer.keep(template, renderer.compile(template))
    made: list[RenderedOne | Faults] = []
    for own in asked.own:
        try:
            made.append(RenderedOne.of(renderer.attempt(program, asked.data | own, allowance)))
        except WorkExceeded:
            made.append(Faults(list(too_much_work(template).faults)))
        except Invalid as refused:
            made.append(Faults(list(refused.faults)))
    return RenderedEach(made)


def _confine() -> None:
    """Give way to the parent, die before it, leave signals for it to handle."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    os.nice(NICE)
    for limit, most in (
        (resource.RLIMIT_AS, MEMORY_MAX),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    ):
        with suppress(ValueError, OSError):  # a lower one is set already
            resource.setrlimit(limit, (most, most))
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def _read(asking: BinaryIO) -> bytes | None:
    head = asking.read(HEAD)
    return asking.read(int.from_bytes(head, "big")) if len(head) == HEAD else None


if __name__ == "__main__":
    main()
