"""Two daemons behind HAProxy, each in a network namespace of its own: the set-up of docs/cluster.md."""

import json
import os
import re
import signal
import subprocess
import sys

from cases import PROJECT, expect
from world import World, wait_until

PLACE = "/run/netns"  # Of named network namespaces.
TOKEN = "a token of the nodes"
FUNCTIONS = [f"f{number}" for number in range(24)]
# Run where the balancer is: calls each of these functions, and prints what came of it.
CALLER = """
import http.client, json, sys
answers = []
for path in json.load(sys.stdin):
    connection = http.client.HTTPConnection("127.0.0.1", 8080, timeout=20)
    connection.request("POST", path, "1")
    response = connection.getresponse()
    answers.append([response.status, response.read().decode().strip()])
    connection.close()
print(json.dumps(answers))
"""


def run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True)


class Cluster:
    """The balancer's namespace and two nodes', each of these with a link to it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.names = {role: f"sock-{os.getpid()}-{role}" for role in ("balancer", "one", "two")}
        self.addresses = {"one": "10.77.1.2", "two": "10.77.2.2"}
        self.nodes: dict[str, World] = {}
        self.balancer: subprocess.Popen | None = None
        self.had_place = os.path.ismount(PLACE)

    def __enter__(self) -> "Cluster":
        for name in self.names.values():
            run("ip", "netns", "add", name)
            run("ip", "-n", name, "link", "set", "lo", "up")
        for role, address in self.addresses.items():
            link = f"s{os.getpid()}{role}"
            run("ip", "-n", self.names["balancer"], "link", "add", link, "type", "veth", "peer", "name", "up0",
                "netns", self.names[role])
            for namespace, device, own in ((self.names["balancer"], link, address[:-1] + "1"), (self.names[role], "up0", address)):
                run("ip", "-n", namespace, "address", "add", f"{own}/24", "dev", device)
                run("ip", "-n", namespace, "link", "set", device, "up")
        return self

    def __exit__(self, *_: object) -> None:
        for node in self.nodes.values():
            node.close()
        if self.balancer is not None:
            self.balancer.terminate()
            self.balancer.wait()
        for name in self.names.values():
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)
        if not self.had_place:  # The first namespace of all makes a mount of it, which ip leaves there.
            run("umount", PLACE)

    def inside(self, role: str) -> tuple[str, ...]:
        # `ip netns exec` would hide the cgroups.
        return ("nsenter", f"--net={PLACE}/{self.names[role]}")

    def start_node(self, role: str) -> World:
        if role not in self.nodes:
            self.nodes[role] = World()
        node = self.nodes[role]
        (node.path / "token").write_text(TOKEN)
        (node.path / "node.toml").write_text(f'token_file = "{node.path}/token"\n')
        node.start("--config", str(node.path / "node.toml"), prefix=self.inside(role), listen=(f"{self.addresses[role]}:8080",))
        return node

    def start_balancer(self) -> None:
        text = re.search(r"^```\n(defaults\n.*?)^```$", (PROJECT / "docs/cluster.md").read_text(), re.M | re.S)[1]
        text = text.replace("TOKEN", TOKEN).replace("ADDRESS_ONE", self.addresses["one"]).replace(
            "ADDRESS_TWO", self.addresses["two"])
        (self.world.path / "haproxy.cfg").write_text(text)
        self.balancer = subprocess.Popen([*self.inside("balancer"), "haproxy", "-db", "-f", str(self.world.path / "haproxy.cfg")],
                                         stdout=subprocess.DEVNULL, stderr=open(self.world.path / "haproxy.log", "wb"))
        expect(wait_until(lambda: self.calls(FUNCTIONS[:1])[0][0] == 200), (self.world.path / "haproxy.log").read_text())

    def calls(self, functions: list[str], path: str = "/run/{}") -> list[list]:
        done = subprocess.run([*self.inside("balancer"), sys.executable, "-c", CALLER], text=True, capture_output=True,
                              input=json.dumps([path.format(name) for name in functions]), check=False)
        return json.loads(done.stdout) if done.returncode == 0 else [[0, done.stderr]]

    def places(self) -> dict[str, str]:
        """Which node answers for each function."""
        answers = self.calls(FUNCTIONS)
        expect(all(status == 200 for status, _ in answers), str(answers))
        return {name: json.loads(text) for name, (_, text) in zip(FUNCTIONS, answers, strict=True)}


def functions_stay_where_they_are(world: World) -> None:
    with Cluster(world) as cluster:
        for role in ("one", "two"):
            node = cluster.start_node(role)
            for name in FUNCTIONS:
                node.must_put(name, "import os\ndef handler(event):\n    return os.environ['NODE']\n",
                              f'memory = "32m"\n[env]\nNODE = "{role}"\n')
        cluster.start_balancer()
        before = cluster.places()
        expect(set(before.values()) == {"one", "two"}, f"both have some: {before}")
        expect(cluster.places() == before, "the same function goes to the same node")
        for path in ("/function/{}", "/2015-03-31/functions/{}/invocations"):
            expect(json.loads(cluster.calls(FUNCTIONS[:1], path)[0][1]) == before[FUNCTIONS[0]], f"by {path} as well")
        cluster.nodes["one"].stop(signal.SIGKILL)
        expect(set(cluster.places().values()) == {"two"}, "no call is lost when a node is killed")
        cluster.start_node("one")
        expect(wait_until(lambda: cluster.places() == before), "its functions come back to it, and no other moves")
        cluster.nodes["two"].stop()
        expect(set(cluster.places().values()) == {"one"}, "nor when one leaves")


TESTS = [functions_stay_where_they_are]
