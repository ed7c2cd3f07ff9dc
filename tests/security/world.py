"""What the attacks are after: secrets, a process, listeners and files of the machine, all made for
this run below one temporary directory, and the checks that nothing became of any of them.
"""

import ctypes
import hashlib
import json
import os
import secrets
import shutil
import socket
import stat
import subprocess
import tempfile
import threading
from pathlib import Path

SHM_SIZE, IPC_CREAT, IPC_RMID = 4096, 0o1000, 0
C_PROGRAMS = ("int80", "orphans", "show_euid", "stuck")
PAYLOADS = Path(__file__).resolve().parent.parent / "payloads"
libc = ctypes.CDLL(None, use_errno=True)


class Listener(threading.Thread):
    """Counts who connects."""

    def __init__(self, family: int, address) -> None:
        super().__init__(daemon=True)
        self.socket = socket.socket(family)
        self.socket.bind(address)
        self.socket.listen(16)
        self.connections = 0
        self.start()

    def run(self) -> None:
        while True:
            try:
                self.socket.accept()[0].close()
            except OSError:
                return
            self.connections += 1


class World:
    def __init__(self, build: Path) -> None:
        self.build = build
        self.sockctl = build / "tools" / "sockctl" / "sockctl"
        self.root = Path(tempfile.mkdtemp(prefix="sock-security-"))
        self.root.chmod(0o711)
        self.secret = secrets.token_hex(32)
        self.state = self.directory("private") / "state"
        self.state.parent.chmod(0o700)
        self.facts_directory = self.directory("facts")
        self.public = self.directory("public")
        self.weak = self.directory("weak")
        self.fixtures = self.directory("fixtures")
        self._plant_files()
        self._plant_programs()
        self._plant_process()
        self._write_facts()
        self.leaked_fds = (os.open(self.canary.parent, os.O_RDONLY), os.open("/", os.O_RDONLY))
        self.before = self.fingerprint()

    def directory(self, name: str, mode: int = 0o755) -> Path:
        path = self.root / name
        path.mkdir(parents=True)
        path.chmod(mode)
        return path

    def _plant_files(self) -> None:
        self.canary = self.directory("vault") / "canary"
        self.canary.write_text(self.secret)
        self.canary.chmod(0o600)
        (self.weak / "canary").write_text("weak canary")
        (self.weak / "canary").chmod(0o666)
        self.weak.chmod(0o777)
        os.mknod(self.fixtures / "zero", stat.S_IFCHR | 0o666, os.makedev(1, 5))
        os.chmod(self.fixtures / "zero", 0o666)

    def _plant_programs(self) -> None:
        for name in C_PROGRAMS:
            subprocess.run(["cc", "-O1", "-static", "-o", self.fixtures / name,
                            PAYLOADS / f"{name}.c"], check=True)
        subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", self.fixtures / "evil_preload.so",
                        PAYLOADS / "evil_preload.c"], check=True)
        os.chmod(self.fixtures / "show_euid", 0o4755)

    def _plant_process(self) -> None:
        self.process = subprocess.Popen(["sleep", "600"], user=1000, group=1000, extra_groups=[])
        self.tcp = Listener(socket.AF_INET, ("127.0.0.1", 0))
        self.abstract_name = f"sock-security-{os.getpid()}"
        self.abstract = Listener(socket.AF_UNIX, "\0" + self.abstract_name)
        self.shm_key = 0x50C00000 | (os.getpid() & 0xFFFFF)
        self.shm = libc.shmget(self.shm_key, SHM_SIZE, IPC_CREAT | 0o666)

    def _write_facts(self) -> None:
        facts = {
            "canary": str(self.canary), "host_pid": self.process.pid, "shm_key": self.shm_key,
            "tcp_port": self.tcp.socket.getsockname()[1], "abstract": self.abstract_name,
            "handle": self._handle(), "numbers": self._numbers(),
            "gate32": self._gate32(), "fixtures": str(self.fixtures),
        }
        (self.facts_directory / "facts.json").write_text(json.dumps(facts))
        # On the machine itself, for controls, the payloads look beside their own fixtures.
        shutil.copy(self.facts_directory / "facts.json", self.public / "facts.json")
        shutil.copytree(PAYLOADS, self.public / "payloads")

    def _gate32(self) -> bool:
        """Whether the machine itself lets 64-bit programs use the 32-bit gate."""
        done = subprocess.run([self.fixtures / "int80"], capture_output=True, check=False)
        return done.returncode == 0

    def _handle(self) -> str:
        """struct file_handle of the canary, which is all that the "shocker" attack must guess."""
        buffer = ctypes.create_string_buffer(136)
        ctypes.memmove(buffer, (128).to_bytes(4, "little"), 4)
        mount = ctypes.c_int()
        libc.name_to_handle_at(-100, os.fsencode(self.canary), buffer, ctypes.byref(mount), 0)
        return buffer.raw.hex()

    @staticmethod
    def _numbers() -> dict[str, int]:
        text = subprocess.run(["cc", "-E", "-dM", "-include", "sys/syscall.h", "-xc", "/dev/null"],
                              check=True, capture_output=True, text=True).stdout
        words = (line.split() for line in text.splitlines() if line.startswith("#define __NR_"))
        return {name[5:]: int(value) for _, name, value in words if value.isdecimal()}

    def expand(self, options: tuple[str, ...]) -> tuple[str, ...]:
        """`@weak` in an option becomes the directory's path."""
        return tuple(option.replace("@weak", str(self.weak)) for option in options)

    # --- the checks -------------------------------------------------------------------------

    def fingerprint(self) -> dict[str, object]:
        """Equal before and after every attack that stays inside."""
        status = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        null = os.stat("/dev/null")
        inode = os.stat(self.canary)
        programs = [self.sockctl, self.build / "libexec" / "sock-init", Path("/usr/bin/python3")]
        return {
            "the canary file": (self.canary.read_text(), inode.st_mtime_ns, inode.st_ctime_ns,
                                inode.st_mode, inode.st_uid),
            "the canary process": [line for line in status if line.startswith(("State", "TracerPid"))],
            # Not its times: everyone who opens it with O_TRUNC changes those.
            "/dev/null": (null.st_mode, null.st_uid, null.st_gid, null.st_rdev),
            "programs": [hashlib.sha256(path.read_bytes()).hexdigest() for path in programs],
            "core_pattern": Path("/proc/sys/kernel/core_pattern").read_text(),
            "host name": socket.gethostname(),
            "mounts": Path("/proc/self/mountinfo").read_text(),
        }

    def damage(self) -> list[str]:
        after = self.fingerprint()
        return [f"{what}: {self.before[what]} became {after[what]}"
                for what in after if after[what] != self.before[what]]

    def connections(self) -> int:
        return self.tcp.connections + self.abstract.connections

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for listener in (self.tcp, self.abstract):
            listener.socket.close()
        libc.shmctl(self.shm, IPC_RMID, None)
        for fd in self.leaked_fds:
            os.close(fd)
        # Payloads make trees that are deeper than Python's recursion.
        subprocess.run(["rm", "-rf", str(self.root)], check=True)
