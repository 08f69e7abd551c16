"""Pictures and animations that spell out spam, and harmless ones beside them.

Each function takes its own `random.Random`, so that one picture can change without the others.
"""

import io
import math

from PIL import Image, ImageDraw, ImageFilter, ImageFont

from .gif import Frame, animation

FONTS = "/usr/share/fonts/truetype"
SANS, BOLD = f"{FONTS}/dejavu/DejaVuSans.ttf", f"{FONTS}/dejavu/DejaVuSans-Bold.ttf"
SERIF, NARROW = f"{FONTS}/liberation/LiberationSerif-Regular.ttf", f"{FONTS}/liberation/LiberationSans-Regular.ttf"
INK = [(0, 0, 0), (160, 0, 0), (0, 0, 150), (0, 100, 0)]


def font(path, size):
    # The basic layout engine is always there, and the same everywhere.
    return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)


def encode(picture, kind, **options):
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def lines_on(picture, lines, size=18, path=SANS, top=14, left=16, inks=INK, gap=8):
    """Writes lines, their colours in turn; returns where the next one would stand."""
    draw, face = ImageDraw.Draw(picture), font(path, size)
    for number, line in enumerate(lines):
        draw.text((left, top), line, font=face, fill=inks[number % len(inks)])
        top += size + gap
    return top


def page(lines, canvas=(420, 260), ground=(255, 255, 255), **how):
    picture = Image.new("RGB", canvas, ground)
    lines_on(picture, lines, **how)
    return picture


def speckled(picture, random, share=0.01):
    """Single pixels of colour all over, as the senders of 2006 used against OCR."""
    width, height = picture.size
    for _ in range(int(width * height * share)):
        colour = tuple(random.randrange(256) for _ in range(3))
        picture.putpixel((random.randrange(width), random.randrange(height)), colour)
    return picture


def gradient(size, top, bottom):
    picture = Image.new("RGB", size)
    draw = ImageDraw.Draw(picture)
    for y in range(size[1]):
        share = y / size[1]
        draw.line([(0, y), (size[0], y)], tuple(round(a + (b - a) * share) for a, b in zip(top, bottom)))
    return picture


def photo(random, size=(480, 320)):
    """A landscape of soft shapes and grain: no text anywhere."""
    picture = gradient(size, (120, 170, 230), (225, 235, 250))
    draw = ImageDraw.Draw(picture)
    for layer in range(4):
        base, shade = size[1] * (45 + 14 * layer) // 100, 120 - 24 * layer
        waves = [(random.uniform(4, 22), random.uniform(0.006, 0.03), random.uniform(0, 6)) for _ in range(4)]
        line = [(x, base + sum(a * math.sin(f * x + p) for a, f, p in waves)) for x in range(0, size[0] + 4, 4)]
        draw.polygon(line + [(size[0], size[1]), (0, size[1])], (shade // 2, shade + 30, shade // 2 + 10))
    for _ in range(60):
        x, y, r = random.randrange(size[0]), random.randrange(size[1] * 6 // 10, size[1]), random.randrange(3, 14)
        draw.ellipse([x - r, y - r, x + r, y + r], (random.randrange(40, 90), random.randrange(80, 150), 50))
    grain = Image.frombytes("L", size, random.randbytes(size[0] * size[1])).convert("RGB")
    return Image.blend(picture.filter(ImageFilter.GaussianBlur(1.5)), grain, 0.06)


def chart(random, title, labels):
    """A screenshot of a bar chart."""
    picture = Image.new("RGB", (480, 300), (250, 250, 250))
    draw, face = ImageDraw.Draw(picture), font(NARROW, 14)
    draw.text((20, 12), title, font=font(BOLD, 16), fill=(40, 40, 40))
    for number, label in enumerate(labels):
        x, height = 40 + number * 90, random.randrange(40, 180)
        draw.rectangle([x, 260 - height, x + 50, 260], (70, 130, 180))
        draw.text((x, 268), label, font=face, fill=(40, 40, 40))
    draw.line([(30, 260), (460, 260)], (0, 0, 0))
    return picture


def logo(text, ground=(20, 60, 120)):
    picture = Image.new("RGB", (150, 44), ground)
    draw = ImageDraw.Draw(picture)
    draw.ellipse([6, 6, 38, 38], (240, 180, 40))
    draw.ellipse([16, 16, 28, 28], ground)
    draw.text((46, 12), text, font=font(BOLD, 16), fill=(255, 255, 255))
    return picture


def scan(lines, random, size=(1000, 1414), path=SERIF, points=30):
    """A page as a scanner sees it: grey, a little turned, a little dirty."""
    sheet = Image.new("L", size, 250)
    draw, face, top = ImageDraw.Draw(sheet), font(path, points), 120
    for line in lines:
        draw.text((110, top), line, font=face, fill=30)
        top += points + 22
    sheet = sheet.rotate(random.uniform(-0.6, 0.6), Image.Resampling.BICUBIC, fillcolor=250)
    grain = Image.frombytes("L", size, random.randbytes(size[0] * size[1]))
    return Image.blend(sheet, grain, 0.04)


def paletted(picture, colours=16):
    return picture.quantize(colours, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)


def strips_gif(picture, count, delay=30):
    """One strip of the picture a frame, each kept; the last one stays."""
    whole = paletted(picture)
    width, height = whole.size
    edges = [height * n // count for n in range(count + 1)]
    frames = [Frame(whole.crop((0, top, width, bottom)), 0, top, delay) for top, bottom in zip(edges, edges[1:])]
    frames[-1].delay = 1500
    return animation(whole.size, frames)


def window_gif(picture, count, delay=20):
    """A window that widens by a column until the last frame shows all."""
    whole = paletted(picture)
    width, height = whole.size
    frames = [Frame(whole.crop((0, 0, width * n // count, height)), 0, 0, delay, 1) for n in range(1, count + 1)]
    frames[-1].delay = 1000
    return animation(whole.size, frames)


def decoy_gif(picture):
    """The payload stands for ten seconds, then an empty frame comes last, too short to be seen."""
    whole = paletted(picture)
    ground = whole.getpixel((0, 0))
    blank = Image.new("P", whole.size, ground)
    blank.putpalette(whole.getpalette())
    frames = [Frame(blank, delay=1), Frame(whole, delay=1000, disposal=2), Frame(blank, delay=1)]
    return animation(whole.size, frames, background=ground)


def flicker_gif(picture, column=7):
    """Alternating columns of the letters in two frames; the eye adds them up."""
    whole = paletted(picture)
    ground = whole.getpixel((0, 0))
    halves = [whole.copy(), whole.copy()]
    for x in range(0, whole.width, column):
        halves[x // column % 2].paste(ground, (x, 0, min(x + column, whole.width), whole.height))
    return animation(whole.size, [Frame(half, delay=3, disposal=1) for half in halves])


def layers_gif(grounds, lines, size=22):
    """Transparent layers over a ground: each frame adds a line and hides nothing below."""
    ground = paletted(grounds)
    clear, ink = 15, 14
    palette = ground.getpalette()[:42] + [10, 10, 60] + [255, 0, 255]
    ground = ground.point(lambda index: min(index, 13))
    ground.putpalette(palette)
    frames, top = [Frame(ground, delay=5)], 16
    for line in lines:
        layer = Image.new("L", (ground.width, size + 10), 0)
        ImageDraw.Draw(layer).text((14, 2), line, font=font(BOLD, size), fill=255)
        layer = layer.point(lambda grey: ink if grey > 110 else clear).convert("L")
        strip = Image.frombytes("P", layer.size, layer.tobytes())
        strip.putpalette(palette)
        frames.append(Frame(strip, 0, top, 40, 1, clear))
        top += size + 12
    frames[-1].delay = 900
    return animation(ground.size, frames)


def party_gif(random, size=(160, 120)):
    """Balloons that go up: a harmless animation without text."""
    balloons = [(random.randrange(10, 150), random.randrange(40, 160), random.randrange(8, 16)) for _ in range(7)]
    pictures = []
    for step in range(6):
        picture = Image.new("RGB", size, (230, 240, 255))
        draw = ImageDraw.Draw(picture)
        for number, (x, y, r) in enumerate(balloons):
            up = y - step * 9
            draw.line([(x, up + r), (x, up + r + 18)], (90, 90, 90))
            draw.ellipse([x - r, up - r, x + r, up + r], INK[1 + number % 3])
        pictures.append(picture)
    first = paletted(pictures[0])
    frames = [Frame(p.quantize(palette=first, dither=Image.Dither.NONE), delay=12, disposal=0) for p in pictures]
    return animation(size, frames)
