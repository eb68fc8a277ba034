"""A private node of the installed `rabbitmq-server`: free ports, its own data, its own epmd; also as root.

POSTHORN_TEST_RABBITMQ_SERVER names the script of another installation; its `rabbitmqctl` lies beside it.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support.broker import PLUGINS, RabbitServer
from tests.support.sandbox import free_port, kill_all_in, tail

DEBIAN_SCRIPT = Path(
    "/usr/lib/rabbitmq/bin/rabbitmq-server"
)  # past the wrapper, which switches accounts and folders
NAMED = "POSTHORN_TEST_RABBITMQ_SERVER"
POLICY = Path("/usr/sbin/policy-rc.d")
STOP_MAX = 60  # seconds


class RabbitNode(RabbitServer):
    """One node; its processes and files live in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._log = folder / "console.log"
        self._amqp, self._management, self._epmd, self._distribution = (free_port() for _ in range(4))
        self._epmd_process: subprocess.Popen[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        super().__init__(
            f"amqp://guest:guest@127.0.0.1:{self._amqp}/", f"http://guest:guest@127.0.0.1:{self._management}"
        )

    def start(self) -> None:
        script = _script() or _install()
        self._write_configuration()
        with self._log.open("ab") as log:
            # Started here and in the foreground: the node would start a daemon that outlives everything.
            self._epmd_process = self._spawn(
                [_epmd(), "-port", str(self._epmd), "-address", "127.0.0.1"], log.fileno()
            )
            self._process = self._spawn([script], log.fileno())
        self.wait_until_ready(is_dead=lambda: self._process.poll() is not None, log=lambda: tail(self._log))

    def stop(self) -> None:
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_MAX)
        self.kill()

    def kill(self) -> None:
        kill_all_in(self._folder)
        for process in (self._process, self._epmd_process):
            if process:
                process.wait()

    def wipe(self) -> None:
        self.kill()
        shutil.rmtree(self._folder / "mnesia", ignore_errors=True)

    def ctl(self, *arguments: str) -> str:
        done = subprocess.run(
            [(_script() or _install()).with_name("rabbitmqctl"), "--quiet", *arguments],
            cwd=self._folder,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"rabbitmqctl {' '.join(arguments)} failed\n{done.stdout}{done.stderr}")
        return done.stdout

    def _spawn(self, command: list[str | Path], log: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command,
            cwd=self._folder,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )

    def _write_configuration(self) -> None:
        (self._folder / "enabled_plugins").write_text(f"[{','.join(PLUGINS)}].\n")
        (self._folder / "environment.conf").write_text("")
        (self._folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.local = 127.0.0.1:{self._amqp}\n"
            "management.tcp.ip = 127.0.0.1\n"
            f"management.tcp.port = {self._management}\n"
            "collect_statistics_interval = 1000\n"  # tests read queue lengths from the management API
        )

    def _environment(self) -> dict[str, str]:
        """Everything said, so that nothing of the machine's own node (its rabbitmq-env.conf too) leaks in."""
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(("RABBITMQ_", "ERL_"))
        }
        inherited.pop("NOTIFY_SOCKET", None)  # it would make the script believe that systemd started it
        return inherited | {
            "HOME": str(self._folder),  # the Erlang cookie is made here
            "RABBITMQ_NODENAME": f"posthorn{self._amqp}@localhost",
            "RABBITMQ_CONF_ENV_FILE": str(self._folder / "environment.conf"),
            "RABBITMQ_CONFIG_FILE": str(self._folder / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(self._folder / "advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self._folder / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(self._folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self._folder / "log"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(self._folder / "generated"),
            "RABBITMQ_PID_FILE": str(self._folder / "pid"),
            "RABBITMQ_DIST_PORT": str(self._distribution),
            "ERL_EPMD_PORT": str(self._epmd),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_FLAGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        }


def describe() -> str:
    """Version and origin, found out without starting it."""
    script = _script()
    if script is None:
        return "none here: will be installed by apt-get" if _can_install() else _ADVICE
    if NAMED in os.environ:
        return f"a private node of {script} ({NAMED})"
    folders = [*script.resolve().parents, *script.parents[1].glob("lib/*")]
    versions = [
        folder.name.partition("-")[2] for folder in folders if folder.name.startswith("rabbitmq_server-")
    ]
    return f"{versions[0] if versions else 'of unknown version'}, a private node of the installed {script}"


_ADVICE = (
    "no RabbitMQ can be had here: install rabbitmq-server, start a Docker engine, or name a broker in "
    "POSTHORN_TEST_AMQP_URL"
)


def _script() -> Path | None:
    if named := os.environ.get(NAMED):
        if not Path(named).exists():
            raise RuntimeError(f"{NAMED} is {named}: there is no such script")
        return Path(named)
    if DEBIAN_SCRIPT.exists():
        return DEBIAN_SCRIPT
    found = shutil.which("rabbitmq-server", path=f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin")
    return Path(found) if found else None


def _epmd() -> Path:
    found = shutil.which("epmd")
    if not found:
        raise RuntimeError("epmd is missing: it comes with Erlang, which rabbitmq-server needs")
    return Path(found)


def _can_install() -> bool:
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def _install() -> Path:
    """Install Debian's package without letting it start the machine's own service."""
    if not _can_install():
        raise RuntimeError(_ADVICE)
    print("Installing rabbitmq-server (once) ...", file=sys.stderr)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    with _services_stay_off():
        for command in (["update", "-q"], ["install", "-qy", "--no-install-recommends", "rabbitmq-server"]):
            done = subprocess.run(
                ["apt-get", *command],
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                raise RuntimeError(
                    f"apt-get {command[0]} failed\n{done.stdout[-2000:]}{done.stderr[-2000:]}\n{_ADVICE}"
                )
    return _script() or DEBIAN_SCRIPT


@contextmanager
def _services_stay_off() -> Iterator[None]:
    """While a package is installed: Debian asks this file whether it may start a service; 101 says no."""
    if POLICY.exists():
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink()
