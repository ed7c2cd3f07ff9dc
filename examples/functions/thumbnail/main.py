"""Makes {"image": base64 of a picture, "width": 64} smaller, and answers with a PNG in base64."""

import base64
import io

from PIL import Image


def handler(event):
    with Image.open(io.BytesIO(base64.b64decode(event["image"]))) as picture:
        width = event.get("width", 64)
        height = max(1, picture.height * width // picture.width)
        small = picture.convert("RGB").resize((width, height))
    out = io.BytesIO()
    small.save(out, "PNG")
    return {"width": width, "height": height, "image": base64.b64encode(out.getvalue()).decode()}
