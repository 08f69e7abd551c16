#!/usr/bin/env python3
"""Makes the pictures of this folder and their texts again (python3-pil, fonts-dejavu-core)."""
import pathlib
import random

from PIL import Image, ImageDraw, ImageFont

HERE = pathlib.Path(__file__).parent
FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
LINES = ["Cheap pills delivered to your door", "Order now and save 70 percent", "Visit www.example.com today"]
CYRILLIC = ["Дешёвые лекарства без рецепта", "Доставка по всей России", "Наши врачи помогут вам", "Скидка на первый заказ"]


def write(name, size=16, ink=(0, 0, 0), ground=(255, 255, 255), paint=None, lines=LINES):
    picture = Image.new("RGB", (26 * size, (len(lines) * 7 // 4 + 1) * size), ground)
    if paint:
        paint(picture)
    draw = ImageDraw.Draw(picture)
    font = ImageFont.truetype(FONT, size)
    for row, line in enumerate(lines):
        draw.text((size, size * (1 + 3 * row) // 2 + row * size // 4), line, font=font, fill=ink)
    if name == "noise":
        rng = random.Random(7)
        for _ in range(picture.width * picture.height // 40):
            place = rng.randrange(picture.width), rng.randrange(picture.height)
            picture.putpixel(place, tuple(rng.randrange(256) for _ in range(3)))
    picture.quantize(64).save(HERE / f"{name}.png", optimize=True)
    (HERE / f"{name}.expected.txt").write_text("\n".join(lines) + "\n")


def stripes(picture):
    draw = ImageDraw.Draw(picture)
    for left in range(0, picture.width, 14):
        draw.rectangle((left, 0, left + 6, picture.height), fill=(70, 70, 110))


write("clean")
write("small", size=11)
write("light", ink=(240, 240, 200), ground=(20, 30, 60))
write("low_contrast", ink=(150, 150, 150), ground=(190, 190, 190))
write("noise")
write("stripes", ink=(255, 255, 255), ground=(20, 20, 60), paint=stripes)
# Read in scripts of their own, and of more lines than are read at once.
write("scripts/cyrillic", lines=CYRILLIC)
write("scripts/both", lines=CYRILLIC * 3 + LINES * 3)
