"""Pictures of text: captions, titles, and the cells of a terminal."""

import io
import textwrap
from functools import cache
from pathlib import Path

import matplotlib
from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT = 1280, 720
CAPTION_HEIGHT = 80
STAGE = (WIDTH, HEIGHT - CAPTION_HEIGHT)
"""The size of the picture above the caption, in pixels."""

INK, PAPER, ACCENT, DIM = "#e8e6e1", "#16181d", "#f0b35a", "#8f939c"
_CAPTION_CHARS = 100


@cache
def font(size: int, name: str = "DejaVuSans") -> ImageFont.FreeTypeFont:
    """Return a font that comes with matplotlib, so that every machine draws the same picture."""
    path = Path(matplotlib.get_data_path(), "fonts", "ttf", f"{name}.ttf")
    return ImageFont.truetype(str(path), size)


def encode(picture: Image.Image) -> bytes:
    """Return the picture as PNG."""
    content = io.BytesIO()
    picture.save(content, "png", compress_level=1)
    return content.getvalue()


def decode(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png)).convert("RGB")


def caption_bar(text: str, speed: float) -> Image.Image:
    """Draw a caption of one or two lines, and how much faster than in reality its clip runs."""
    bar = Image.new("RGB", (WIDTH, CAPTION_HEIGHT), "#0c0d10")
    draw = ImageDraw.Draw(bar)
    lines = textwrap.wrap(text, _CAPTION_CHARS)
    top = (CAPTION_HEIGHT - 28 * len(lines)) // 2
    for number, line in enumerate(lines):
        draw.text((40, top + 28 * number), line, font=font(20), fill=INK)
    if speed > 1:
        draw.text((WIDTH - 100, 26), f"{speed:g} ×", font=font(26, "DejaVuSans-Bold"), fill=ACCENT)
    return bar


def title_card(title: str, subtitle: str) -> bytes:
    """Draw a title in the middle of the stage."""
    card = Image.new("RGB", STAGE, PAPER)
    draw = ImageDraw.Draw(card)
    middle = STAGE[0] // 2, STAGE[1] // 2
    draw.text(
        (middle[0], middle[1] - 40),
        title,
        font=font(64, "DejaVuSans-Bold"),
        fill=ACCENT,
        anchor="mm",
    )
    draw.text((middle[0], middle[1] + 40), subtitle, font=font(28), fill=INK, anchor="mm")
    return encode(card)
