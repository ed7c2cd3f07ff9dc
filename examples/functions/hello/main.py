"""Answers {"name": "you"} with a greeting."""

import os


def handler(event, context):
    print("greeting", event.get("name"), "for", context.aws_request_id)
    return {"text": f"{os.environ['GREETING']}, {event.get('name', 'world')}!"}
