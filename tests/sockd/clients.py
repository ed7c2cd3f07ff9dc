"""Clients that know nothing of sockd, as Debian has them: the AWS CLI, boto3 and curl."""

import json
import os
import subprocess
from pathlib import Path

from cases import expect
from world import HANDLER, SLOW, World, archive, wait_until

SAME = "def handler(event):\n    return event\n"
LENGTH = "def handler(event):\n    return len(event)\n"
PRINTS = "def handler(event):\n    if event:\n        print(event)\n"
RAISES = ("import os\n"
          "def handler(event):\n"
          "    print('before', flush=True)\n"
          "    if event == 'exit':\n        os._exit(3)\n"
          "    raise ValueError('no ' + event)\n")
BY_BOTO3 = Path(__file__).resolve().parent / "by_boto3.py"
# Where both know their credentials from; who they are is of no interest to sockd.
NOBODY = {"AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "nothing", "AWS_DEFAULT_REGION": "eu-west-1",
          "AWS_MAX_ATTEMPTS": "1", "AWS_EC2_METADATA_DISABLED": "true", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
MOST = 6 << 20  # Bytes of an event.


def endpoint(world: World) -> str:
    return f"http://127.0.0.1:{world.port}"


def run(world: World, *command: str, **env: str) -> subprocess.CompletedProcess:
    """Without settings of whoever runs the tests."""
    return subprocess.run(command, env={**NOBODY, "HOME": str(world.path), **env}, cwd=world.path, capture_output=True,
                          text=True, timeout=120, check=False)


def aws(world: World, name: str, *options: str) -> subprocess.CompletedProcess:
    return run(world, "aws", "lambda", "invoke", "--endpoint-url", endpoint(world), "--output", "json",
               "--cli-binary-format", "raw-in-base64-out", "--function-name", name, *options, "out.json")


def boto3(world: World, *cases: str, **env: str) -> None:
    done = run(world, "/usr/bin/python3", "-I", str(BY_BOTO3), endpoint(world), *cases, **env)
    expect(done.returncode == 0, f"{cases}: {done.stderr}")


def curl(world: World, *words: str) -> tuple[int, str]:
    """The status and the body of the answer."""
    done = run(world, "curl", "-q", "-sS", "--max-time", "60", "-w", "\n%{http_code}", *words)
    expect(done.returncode == 0, f"{words}: {done}")
    body, _, status = done.stdout.rpartition("\n")
    return int(status), body


def the_aws_cli_invokes(world: World) -> None:
    world.start()
    world.must_put("same", SAME)
    world.must_put("raises", RAISES)
    out = world.path / "out.json"
    done = aws(world, "same", "--payload", '{"name": "you"}', "--log-type", "Tail", "--invocation-type", "RequestResponse")
    expect(done.returncode == 0 and out.read_text() == '{"name": "you"}', str(done))
    expect(json.loads(done.stdout) == {"StatusCode": 200, "ExecutedVersion": "1", "LogResult": ""}, done.stdout)
    (world.path / "event.json").write_text('"way"')
    done = aws(world, "arn:aws:lambda:eu-west-1:000000000000:function:raises", "--payload", "file://event.json")
    expect(done.returncode == 0 and json.loads(done.stdout)["FunctionError"] == "Unhandled", str(done))
    expect(json.loads(out.read_text())["errorMessage"] == "no way", out.read_text())
    done = aws(world, "nobody")
    expect(done.returncode == 254 and "(ResourceNotFoundException)" in done.stderr and "Invoke" in done.stderr, str(done))
    done = aws(world, "same", "--invocation-type", "DryRun")
    expect(done.returncode == 0 and json.loads(done.stdout)["StatusCode"] == 204, str(done))


def printed(world: World, name: str) -> list[str]:
    """What each of its calls has printed, in the order of their ends."""
    return [line["printed"] for line in world.logs(name) if line["outcome"] == "result"]


def the_aws_cli_sends_events(world: World) -> None:
    """An invocation that nobody waits for."""
    world.start()
    world.must_put("prints", PRINTS)
    out = world.path / "out.json"
    done = aws(world, "prints", "--invocation-type", "Event", "--payload", '"by the CLI"')
    expect(done.returncode == 0 and json.loads(done.stdout) == {"StatusCode": 202}, str(done))
    expect(out.read_bytes() == b"", f"there is no answer: {out.read_bytes()!r}")
    expect(wait_until(lambda: printed(world, "prints") == ["by the CLI\n"]), str(world.logs("prints")))
    done = aws(world, "nobody", "--invocation-type", "Event")
    expect(done.returncode == 254 and "(ResourceNotFoundException)" in done.stderr, str(done))
    done = aws(world, "prints", "--invocation-type", "Event", "--payload", "no JSON")
    expect(done.returncode == 254 and "(InvalidRequestContentException)" in done.stderr, str(done))


def boto3_sends_events(world: World) -> None:
    world.start()
    world.must_put("prints", PRINTS)
    boto3(world, "events")
    expect(wait_until(lambda: printed(world, "prints") == ["first\n", "second\n"]), str(world.logs("prints")))
    now = world.now("prints")
    expect(now["events_waiting"] == 0, f"what was refused is not kept: {now}")


def boto3_invokes(world: World) -> None:
    world.start()
    for name, code in (("same", SAME), ("prints", PRINTS), ("raises", RAISES)):
        world.must_put(name, code)
    boto3(world, "results", "names", "logs", "function_errors")


def boto3_knows_what_is_refused(world: World) -> None:
    settings = world.path / "settings"
    settings.write_text('queue_time = "300ms"\n')
    world.start("--config", str(settings))
    world.must_put("same", SAME)
    world.must_put("length", LENGTH)
    world.must_put("slow", SLOW, "concurrency = 1\n")
    for name, event in (("length", '""'), ("slow", "0")):
        world.result(name, event)
    boto3(world, "exceptions", "too_many")
    expect(world.result("same", "1") == 1, "it serves on")


def boto3_has_a_place_for_a_token(world: World) -> None:
    secret = "a-secret-of-some-length"
    (world.path / "token").write_text(secret)
    settings = world.path / "settings"
    settings.write_text(f'token_file = "{world.path}/token"\n')
    world.start("--config", str(settings))
    world.must_put("same", SAME)
    boto3(world, "token", SOCKD_TOKEN=secret)


def curl_calls_and_registers(world: World) -> None:
    world.start()
    body = world.path / "same.tar"
    body.write_bytes(archive({"function.toml": HANDLER, "main.py": SAME, "padding": os.urandom(1 << 20).hex()}))
    control = ("--unix-socket", str(world.state / "control"))
    status, text = curl(world, *control, "-T", str(body), "http://localhost/api/functions/same")
    expect(status == 200 and json.loads(text)["version"] == 1, "more than a megabyte, which curl asks about first")
    world.must_put("length", LENGTH)
    for way in ((), control):
        for path in ("/2015-03-31/functions/same/invocations", "/run/same", "/function/same"):
            status, text = curl(world, *way, "-d", '{"name":"you"}', endpoint(world) + path)
            expect(status == 200 and json.loads(text) == {"name": "you"}, f"{way} {path}: {status} {text}")
    run_length = endpoint(world) + "/run/length"
    event = world.path / "event"
    for size, expected in ((MOST, 200), (MOST + 1, 413)):
        event.write_bytes(b"x" * size)
        for more in ((), ("-H", "Transfer-Encoding: chunked"), ("-H", "Expect:"), ("--http1.0",)):
            status, text = curl(world, *more, "--data-binary", "@event", run_length)
            expect(status == expected, f"{size} {more}: {status} {text}")
    done = run(world, "curl", "-q", "-sS", "-d", "1", "-w", "%{num_connects}", *[endpoint(world) + "/run/same"] * 3)
    expect(done.stdout == "1\n11\n01\n0", f"one connection for three calls: {done}")
    status, text = curl(world, "-I", endpoint(world) + "/healthz")
    expect(status == 200 and "Content-Length: 3" in text, text)
    expect(curl(world, endpoint(world) + "/run/same")[0] == 405, "GET is no call")
    expect(curl(world, *control, "-X", "DELETE", "http://localhost/api/functions/same")[0] == 200, "and it is removed")


TESTS = [the_aws_cli_invokes, the_aws_cli_sends_events, boto3_invokes, boto3_sends_events, boto3_knows_what_is_refused, boto3_has_a_place_for_a_token,
         curl_calls_and_registers]
