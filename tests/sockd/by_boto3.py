"""Calls functions as a program of an AWS user does: by boto3, Debian's, for it is Debian's Python that runs this.

by_boto3 ENDPOINT CASE...; SOCKD_TOKEN is what the case `token` shows
"""

import base64
import io
import json
import os
import sys
import threading
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))

import boto3  # noqa: E402
import botocore  # noqa: E402
from botocore.config import Config  # noqa: E402
from cases import expect  # noqa: E402

MOST = 6 << 20  # Bytes of an event.
MOST_KEPT = 256 << 10  # Bytes of one that nobody waits for.


ENDPOINT = sys.argv[1]


def make_client(**more):
    # Whoever tries again would not see what the first answer was.
    return boto3.client("lambda", endpoint_url=ENDPOINT, config=Config(retries={"max_attempts": 0}, **more))


def text_of(size: int) -> bytes:
    """JSON of so many bytes."""
    return b'"' + b"x" * (size - 2) + b'"'


def results(client) -> None:
    event = {"text": "\u00e9", "numbers": [1, 2.5, None]}
    answer = client.invoke(FunctionName="same", InvocationType="RequestResponse", Payload=json.dumps(event))
    expect(answer["StatusCode"] == 200 and answer["ExecutedVersion"] == "1", str(answer))
    expect("FunctionError" not in answer and "LogResult" not in answer, str(answer))
    expect(answer["ResponseMetadata"]["RequestId"] != "", str(answer))
    expect(json.loads(answer["Payload"].read()) == event, "as it was sent")
    for payload, expected in ((b"7", 7), (io.BytesIO(b"[1]"), [1]), (bytearray(b"null"), None)):
        read = client.invoke(FunctionName="same", Payload=payload)["Payload"].read()
        expect(json.loads(read) == expected, f"{payload!r}: {read!r}")
    expect(client.invoke(FunctionName="same")["Payload"].read() == b"{}", "no payload is an empty object")
    expect(client.invoke(FunctionName="same", InvocationType="DryRun")["StatusCode"] == 204, "a dry run")


def names(client) -> None:
    """A name, or one of the longer forms that Lambda takes; botocore escapes their colons."""
    for name in ("same", "same:1", "same:$LATEST", "000000000000:function:same",
                 "arn:aws:lambda:eu-west-1:000000000000:function:same",
                 "arn:aws:lambda:eu-west-1:000000000000:function:same:$LATEST"):
        expect(client.invoke(FunctionName=name, Payload=b"1")["Payload"].read() == b"1", name)
    expect(client.invoke(FunctionName="same", Qualifier="$LATEST", Payload=b"1")["StatusCode"] == 200, "a qualifier")


def logs(client) -> None:
    def printed(event) -> str:
        answer = client.invoke(FunctionName="prints", Payload=json.dumps(event), LogType="Tail")
        return base64.b64decode(answer["LogResult"]).decode()

    expect(printed("a line") == "a line\n", "what it has printed")
    expect(printed("x" * 10_000) == "x" * 4095 + "\n", "the end of it")
    expect(printed("") == "", "nothing, and that is told")


def function_errors(client) -> None:
    answer = client.invoke(FunctionName="raises", Payload=b'"way"', LogType="Tail")
    expect(answer["StatusCode"] == 200 and answer["FunctionError"] == "Unhandled", str(answer))
    error = json.loads(answer["Payload"].read())
    expect(error["errorType"] == "ValueError" and error["errorMessage"] == "no way", str(error))
    expect(error["requestId"] == answer["ResponseMetadata"]["RequestId"], str(error))
    expect(base64.b64decode(answer["LogResult"]) == b"before\n", str(answer))
    answer = client.invoke(FunctionName="raises", Payload=b'"exit"')
    expect(answer["FunctionError"] == "Unhandled", str(answer))
    expect(json.loads(answer["Payload"].read())["errorType"] == "Runtime.ExitError", str(answer))


def exceptions(client) -> None:
    kinds = client.exceptions
    for wanted, status, arguments in (
            (kinds.ResourceNotFoundException, 404, {"FunctionName": "nobody"}),
            (kinds.ResourceNotFoundException, 404, {"FunctionName": "nobody", "InvocationType": "DryRun"}),
            (kinds.InvalidRequestContentException, 400, {"FunctionName": "same", "Payload": b"{'no': 'JSON'}"}),
            (kinds.InvalidParameterValueException, 400, {"FunctionName": "same", "InvocationType": "Other"}),
            (kinds.RequestTooLargeException, 413, {"FunctionName": "length", "Payload": text_of(MOST + 1)}),
            (kinds.RequestTooLargeException, 413, {"FunctionName": "length", "Payload": io.BytesIO(text_of(3 * MOST))})):
        try:
            answer = client.invoke(**arguments)
        except wanted as refused:
            said = refused.response
            expect(said["ResponseMetadata"]["HTTPStatusCode"] == status and said["Error"]["Message"] != "", str(said))
            expect(said["ResponseMetadata"].get("RequestId", "") != "", str(said))
        else:
            expect(False, f"{wanted.__name__} was expected: {answer}")
    answer = client.invoke(FunctionName="length", Payload=text_of(MOST))
    expect("FunctionError" not in answer and json.loads(answer["Payload"].read()) == MOST - 2, "the longest")


def events(client) -> None:
    """Accepted, and no more is told of them."""
    identities = set()
    for payload in (b'"first"', io.BytesIO(b'"second"')):
        answer = client.invoke(FunctionName="prints", InvocationType="Event", Payload=payload)
        expect(answer["StatusCode"] == 202 and answer["Payload"].read() == b"", str(answer))
        expect("FunctionError" not in answer and "ExecutedVersion" not in answer, str(answer))
        identities.add(answer["ResponseMetadata"]["RequestId"])
    expect(len(identities) == 2 and "" not in identities, str(identities))
    kinds = client.exceptions
    for wanted, arguments in ((kinds.ResourceNotFoundException, {"FunctionName": "nobody"}),
                              (kinds.InvalidRequestContentException, {"FunctionName": "prints", "Payload": b"{'no': 'JSON'}"}),
                              (kinds.RequestTooLargeException, {"FunctionName": "prints", "Payload": text_of(MOST_KEPT + 1)})):
        try:
            answer = client.invoke(InvocationType="Event", **arguments)
        except wanted:
            continue
        expect(False, f"{wanted.__name__} was expected: {answer}")


def too_many(client) -> None:
    """Of two at once the second waits in vain."""
    answers: list[dict] = []
    refused: list[dict] = []

    def invoke() -> None:
        try:
            answers.append(client.invoke(FunctionName="slow", Payload=b"2"))
        except client.exceptions.TooManyRequestsException as error:
            refused.append(error.response)

    threads = [threading.Thread(target=invoke) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expect(len(answers) == 1 and len(refused) == 1, f"{answers} {refused}")
    expect(answers[0]["Payload"].read() == b"2", "the first is served")
    said = refused[0]["ResponseMetadata"]
    expect(said["HTTPStatusCode"] == 429 and said["HTTPHeaders"]["retry-after"] == "1", str(refused))


def token(signed) -> None:
    """AWS' signature stands where the token does: it is left out, and the token put there."""
    secret = os.environ["SOCKD_TOKEN"]
    try:
        signed.invoke(FunctionName="same")
        expect(False, "a signature is no token")
    except signed.exceptions.ClientError as refused:
        expect(refused.response["ResponseMetadata"]["HTTPStatusCode"] == 401, str(refused.response))
    client = make_client(signature_version=botocore.UNSIGNED)
    client.meta.events.register("before-send.lambda",
                                lambda request, **_: request.headers.update(Authorization=f"Bearer {secret}"))
    expect(client.invoke(FunctionName="same", Payload=b"1")["Payload"].read() == b"1", "with the token")


CASES = {each.__name__: each for each in (results, names, logs, function_errors, exceptions, events, too_many, token)}
for wanted in sys.argv[2:]:
    CASES[wanted](make_client())
