"""NS: into other namespaces, and through those that are not separate."""

from model import MOUNTING, PLAIN_ROOT, UNCONFINED, Control, Probe

ANY = Control(UNCONFINED)
HOST = Control(on_host=True)
ADMIN = Control((*UNCONFINED, "--cap-add", "sys_admin"), PLAIN_ROOT)
ALL = "URZ"

TESTS = [
    Probe("NS-01", "no new namespace, while threads and subprocesses work",
          Control(MOUNTING, PLAIN_ROOT), ALL,
          errors=frozenset({"EPERM", "ENOSYS"})),
    Probe("NS-02", "no entering of namespaces", ADMIN, ALL, errors=frozenset({"EPERM", "EACCES", "ENOENT"})),
    Probe("NS-03", "abstract sockets of the machine are out of reach", HOST, ALL),
    Probe("NS-04", "the machine's network is out of reach", Control(("--net", "host")), ALL),
    Probe("NS-05", "no AF_VSOCK, which no namespace confines", ANY, ALL,
          errors=frozenset({"EAFNOSUPPORT"})),
    Probe("NS-06", "no other socket family, netlink protocol or raw socket", ANY, ALL),
    Probe("NS-07", "System V memory of the machine is not there", HOST, ALL,
          errors=frozenset({"ENOENT"})),
    Probe("NS-08", "host name and clock cannot be set", ADMIN, ALL, errors=frozenset({"EPERM"})),
    Probe("NS-08p", "paths of cgroups say nothing", HOST, ALL),
    Probe("NS-09", "processes of the machine are not there", HOST, ALL),
    Probe("NS-10", "no procfs but the one that is there, and nothing more of it",
          Control(MOUNTING, PLAIN_ROOT), ALL, errors=frozenset({"EPERM", "ENOENT", "ENOSYS"})),
    Probe("NS-09k", "kill(-1) reaches its own processes only", HOST, ALL, alone=True),
]
