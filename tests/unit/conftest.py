"""The pure tier waits for nobody: its event loop's time is virtual and jumps to the next timer."""

from collections.abc import Callable, Mapping

from tests.support.virtual_time import VirtualLoop


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], VirtualLoop]]:
    return {"virtual": VirtualLoop}
