"""A private RabbitMQ in a container, by testcontainers; POSTHORN_TEST_RABBITMQ_IMAGE names another image."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.broker import PLUGINS, RabbitServer
from tests.support.sandbox import free_port

if TYPE_CHECKING:
    from docker.models.containers import Container
    from testcontainers.core.container import DockerContainer

IMAGE = os.environ.get("POSTHORN_TEST_RABBITMQ_IMAGE", "rabbitmq:4-management")


class RabbitContainer(RabbitServer):
    """Ports are chosen here and fixed, so that they outlive a restart."""

    def __init__(self) -> None:
        self._amqp, self._management = free_port(), free_port()
        self._container: DockerContainer | None = None
        super().__init__(
            f"amqp://guest:guest@127.0.0.1:{self._amqp}/", f"http://guest:guest@127.0.0.1:{self._management}"
        )

    def start(self) -> None:
        if self._container is None:
            from testcontainers.core.container import DockerContainer

            self._container = DockerContainer(IMAGE, hostname="posthorn")  # the node's name, and so its data
            self._container.ports["5672"] = ("127.0.0.1", self._amqp)
            self._container.ports["15672"] = ("127.0.0.1", self._management)
            self._container.start()
        else:
            self._docker.start()
        self.wait_until_ready(is_dead=lambda: self._state() == "exited", log=self._log)
        code, output = self._docker.exec_run(["rabbitmq-plugins", "enable", *PLUGINS])
        if code:
            raise RuntimeError(f"rabbitmq-plugins failed\n{output.decode(errors='replace')}")

    def stop(self) -> None:
        self._docker.stop(timeout=60)

    def kill(self) -> None:
        if self._state() == "running":
            self._docker.kill()

    def wipe(self) -> None:
        if self._container:
            self._container.stop(force=True, delete_volume=True)
            self._container = None

    def ctl(self, *arguments: str) -> str:
        code, output = self._docker.exec_run(["rabbitmqctl", "--quiet", *arguments])
        said = str(output.decode(errors="replace"))
        if code:
            raise RuntimeError(f"rabbitmqctl {' '.join(arguments)} failed\n{said}")
        return said

    @property
    def _docker(self) -> "Container":
        if self._container is None:
            raise RuntimeError("not started")
        return self._container.get_wrapped_container()

    def _state(self) -> str:
        self._docker.reload()
        return str(self._docker.status)

    def _log(self) -> str:
        return self._docker.logs(tail=40).decode(errors="replace")


def engine_answers() -> bool:
    """Whether a Docker engine can be reached; a client without an engine does not count."""
    if not (os.environ.get("DOCKER_HOST") or Path("/var/run/docker.sock").exists()):
        return False
    import docker

    try:
        return bool(docker.from_env(timeout=5).ping())
    except (docker.errors.DockerException, OSError):
        return False
