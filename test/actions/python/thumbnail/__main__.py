"""Draws a picture, scales it, and describes the outcome."""
import base64
import hashlib
import io

from PIL import Image, ImageDraw, ImageFilter, ImageStat


def drawing(width, height):
    image = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(image)
    for i in range(24):
        x = i * width // 24
        draw.ellipse([x, height // 3, x + 40 + i, height // 3 + 40 + i], fill=(10 * i, 80, 255 - 10 * i))
    return image


def main(args):
    if "image" in args:
        image = Image.open(io.BytesIO(base64.b64decode(args["image"]))).convert("RGB")
    else:
        image = drawing(960, 640)
    image = image.filter(ImageFilter.GaussianBlur(2))
    image.thumbnail((args.get("size", 64), args.get("size", 64)))
    png = io.BytesIO()
    image.save(png, "PNG")
    jpeg = io.BytesIO()
    image.save(jpeg, "JPEG", quality=80)
    return {
        "size": image.size,
        "mean": [round(v) for v in ImageStat.Stat(image).mean],
        "pixels": hashlib.sha256(image.tobytes()).hexdigest(),
        "jpeg": Image.open(jpeg).format,
        "image": base64.b64encode(png.getvalue()).decode(),
    }
