"""Still pictures by the techniques that senders used against OCR, and harmless ones without any.

Each technique takes a text and a `random.Random` and gives a picture. Fonts, sizes, colours and strengths vary
within what a person still reads at a glance.
"""

import math

from PIL import Image, ImageDraw, ImageFilter

from .pictures import FONTS, font, gradient, photo

FACES = [f"{FONTS}/{path}.ttf" for path in (
    "dejavu/DejaVuSans", "dejavu/DejaVuSans-Bold", "dejavu/DejaVuSerif", "liberation/LiberationSans-Regular",
    "liberation/LiberationSans-Bold", "liberation/LiberationSerif-Regular", "liberation/LiberationSerif-Bold")]
DARK = [(0, 0, 0), (20, 20, 80), (120, 0, 0), (0, 80, 0), (90, 0, 90), (60, 40, 10)]
PALE = [(255, 255, 255), (255, 250, 225), (235, 245, 255), (240, 255, 240), (250, 240, 250)]
VIVID = [(200, 0, 0), (0, 0, 200), (0, 110, 0), (150, 0, 150), (190, 90, 0), (0, 110, 130), (20, 20, 20)]


class Style:
    """How the letters of one picture look."""

    def __init__(self, random, least=13, most=22):
        self.face = random.choice(FACES)
        self.size = random.randint(least, most)
        self.font = font(self.face, self.size)
        self.ink, self.ground = random.choice(DARK), random.choice(PALE)
        self.gap = random.randint(self.size // 3, self.size * 2 // 3)
        self.margin = random.randint(10, 24)

    def canvas(self, lines):
        width = max(self.font.getbbox(line)[2] for line in lines)
        return width + 2 * self.margin, len(lines) * (self.size + self.gap) + 2 * self.margin

    def places(self, lines):
        for number, line in enumerate(lines):
            yield line, self.margin, self.margin + number * (self.size + self.gap)


def draw(lines, style, picture=None, inks=None):
    picture = picture or Image.new("RGB", style.canvas(lines), style.ground)
    pen = ImageDraw.Draw(picture)
    for number, (line, x, y) in enumerate(style.places(lines)):
        pen.text((x, y), line, font=style.font, fill=inks[number % len(inks)] if inks else style.ink)
    return picture


def clean(lines, random):
    return draw(lines, Style(random))


def noise(lines, random):
    """Single pixels of any colour over letters and ground."""
    picture = draw(lines, Style(random, 14))
    width, height = picture.size
    for _ in range(int(width * height * random.uniform(0.02, 0.08))):
        picture.putpixel((random.randrange(width), random.randrange(height)), tuple(random.randrange(256) for _ in range(3)))
    return picture


def ground_gradient(lines, random):
    style = Style(random)
    ends = [tuple(random.randrange(150, 256) for _ in range(3)) for _ in range(2)]
    return draw(lines, style, gradient(style.canvas(lines), *ends))


def dots(lines, random):
    """A raster of small discs behind the letters."""
    style = Style(random, 15)
    picture = Image.new("RGB", style.canvas(lines), style.ground)
    pen = ImageDraw.Draw(picture)
    step, radius = random.randint(6, 10), random.choice([1, 1, 2])
    shade = tuple(random.randrange(120, 200) for _ in range(3))
    for y in range(0, picture.height, step):
        for x in range(y // step % 2 * step // 2, picture.width, step):
            pen.ellipse([x - radius, y - radius, x + radius, y + radius], shade)
    return draw(lines, style, picture)


def lines_across(lines, random):
    """Straight lines through the letters, as dark as they are."""
    style = Style(random, 15)
    picture = draw(lines, style)
    pen, (width, height) = ImageDraw.Draw(picture), picture.size
    for _ in range(random.randint(4, 9)):
        shade = random.choice([style.ink] + DARK)
        if random.random() < 0.75:
            pen.line([(0, random.randrange(height)), (width, random.randrange(height))], shade, 1)
        else:
            pen.line([(random.randrange(width), 0), (random.randrange(width), height)], shade, 1)
    return picture


def wave(lines, random):
    """Columns moved up and down along a sine."""
    style = Style(random, 15)
    picture = draw(lines, style)
    swing, length, phase = random.uniform(1.5, 4), random.uniform(60, 160), random.uniform(0, 6)
    bent = Image.new("RGB", (picture.width, picture.height + 8), style.ground)
    for x in range(picture.width):
        shift = 4 + round(swing * math.sin(x * 2 * math.pi / length + phase))
        bent.paste(picture.crop((x, 0, x + 1, picture.height)), (x, shift))
    return bent


def turned_letters(lines, random):
    """Each letter turned and moved a little by itself."""
    style = Style(random, 16)
    width, height = style.canvas(lines)
    picture = Image.new("RGB", (width + width // 8, height), style.ground)
    for line, x, y in style.places(lines):
        for letter in line:
            tile = Image.new("L", (style.size * 2, style.size * 2), 0)
            ImageDraw.Draw(tile).text((style.size // 2, style.size // 3), letter, font=style.font, fill=255)
            tile = tile.rotate(random.uniform(-12, 12), Image.Resampling.BICUBIC)
            picture.paste(style.ink, (round(x) - style.size // 2, y - style.size // 3 + random.randint(-1, 1)), tile)
            x += style.font.getlength(letter) + 1
    return picture


def low_contrast(lines, random):
    style = Style(random)
    shade, apart = random.randrange(130, 220), random.randint(28, 50)
    style.ground, style.ink = (shade,) * 3, (shade - apart,) * 3
    return draw(lines, style)


def jpeg(lines, random):
    """The artefacts of a JPEG of low quality; the file is one."""
    return draw(lines, Style(random, 14))


def colours(lines, random):
    style = Style(random)
    return draw(lines, style, inks=random.sample(VIVID, 4))


def rotated(lines, random):
    style = Style(random, 14)
    angle = random.choice([-1, 1]) * random.uniform(2, 7)
    return draw(lines, style).rotate(angle, Image.Resampling.BICUBIC, expand=True, fillcolor=style.ground)


def light_on_dark(lines, random):
    style = Style(random)
    style.ink, style.ground = random.choice(PALE), random.choice(DARK)
    return draw(lines, style)


TECHNIQUES = {
    "clean": clean, "noise": noise, "gradient": ground_gradient, "dots": dots, "lines": lines_across, "wave": wave,
    "turned letters": turned_letters, "low contrast": low_contrast, "jpeg": jpeg, "colours": colours, "rotated": rotated,
    "light on dark": light_on_dark,
}


def small(lines, random):
    return draw(lines, Style(random, 10, 12))


def boxes(lines, random):
    """Headline in white on a coloured box, the rest dark on the white page below."""
    style = Style(random, 14)
    picture = Image.new("RGB", style.canvas(lines), (255, 255, 255))
    head = style.margin + 2 * (style.size + style.gap)
    ImageDraw.Draw(picture).rectangle([0, 0, picture.width, head - style.gap // 2], random.choice(VIVID))
    return draw(lines, style, picture, [(255, 255, 255)] * 2 + [style.ink] * (len(lines) - 2))


def stripes(lines, random):
    """Bars of two pale shades behind the letters."""
    style = Style(random, 15)
    picture = Image.new("RGB", style.canvas(lines), (255, 255, 255))
    pen, step = ImageDraw.Draw(picture), random.randint(8, 24)
    shade = tuple(random.randrange(170, 225) for _ in range(3))
    for x in range(-picture.height, picture.width, 2 * step):
        lean = random.choice([0, picture.height])
        pen.polygon([(x, 0), (x + step, 0), (x + step + lean, picture.height), (x + lean, picture.height)], shade)
    return draw(lines, style, picture)


def on_photo(lines, random):
    """White letters with a dark edge on a landscape."""
    style = Style(random, 18, 24)
    picture = photo(random, style.canvas(lines)).filter(ImageFilter.GaussianBlur(1))
    pen = ImageDraw.Draw(picture)
    for line, x, y in style.places(lines):
        pen.text((x, y), line, font=style.font, fill=(255, 255, 255), stroke_width=1, stroke_fill=(20, 20, 20))
    return picture


def table(lines, random):
    """Cells with frames and grounds of their own."""
    style = Style(random, 13, 17)
    width, height = style.canvas(lines)
    picture = Image.new("RGB", (width, height), (255, 255, 255))
    pen, row = ImageDraw.Draw(picture), style.size + style.gap
    for number in range(len(lines)):
        top = style.margin + number * row - style.gap // 2
        pen.rectangle([4, top, width - 5, top + row], random.choice(PALE), (80, 80, 80))
    return draw(lines, style, picture)


def speckled_wave(lines, random):
    """The stock spam of late 2006: wavy, many colours, specks and short dashes on a tinted ground."""
    style = Style(random, 15, 18)
    picture = draw(lines, style, inks=random.sample(VIVID, 3))
    pen, (width, height) = ImageDraw.Draw(picture), picture.size
    for _ in range(width * height // 300):
        x, y = random.randrange(width), random.randrange(height)
        pen.line([(x, y), (x + random.randint(0, 2), y + random.randint(0, 1))], random.choice(VIVID))
    swing, phase = random.uniform(1, 2.5), random.uniform(0, 6)
    bent = Image.new("RGB", (width, height + 6), style.ground)
    for x in range(width):
        bent.paste(picture.crop((x, 0, x + 1, height)), (x, 3 + round(swing * math.sin(x / 20 + phase))))
    return bent


# Kinds that are hard in their own ways, counted apart from the twelve.
MORE = {"small": small, "boxes": boxes, "stripes": stripes, "photo ground": on_photo, "table": table, "speckled wave": speckled_wave}


def smooth(random):
    """Shades that run into each other."""
    return gradient((random.randint(200, 500), random.randint(150, 400)), *[tuple(random.randrange(256) for _ in range(3)) for _ in range(2)])


def landscape(random):
    return photo(random, (random.randint(300, 640), random.randint(200, 480)))


def bricks(random):
    """A texture of many edges that is no text."""
    picture = Image.new("RGB", (random.randint(240, 480), random.randint(180, 360)), (190, 180, 170))
    pen = ImageDraw.Draw(picture)
    for row, y in enumerate(range(0, picture.height, 16)):
        for x in range(-20 * (row % 2), picture.width, 40):
            shade = random.randrange(-20, 20)
            pen.rectangle([x + 2, y + 2, x + 38, y + 14], (150 + shade, 70 + shade, 50 + shade))
    return picture.filter(ImageFilter.GaussianBlur(random.uniform(0, 1)))


def leaves(random):
    """Many small shapes like foliage."""
    picture = Image.new("RGB", (random.randint(240, 480), random.randint(180, 360)), (40, 60, 30))
    pen = ImageDraw.Draw(picture)
    for _ in range(random.randint(600, 1600)):
        x, y, r = random.randrange(picture.width), random.randrange(picture.height), random.randint(2, 9)
        pen.ellipse([x, y, x + r, y + r * random.uniform(0.5, 2)], (random.randrange(30, 120), random.randrange(80, 200), random.randrange(20, 70)))
    return picture.filter(ImageFilter.GaussianBlur(random.uniform(0.3, 1.2)))


WITHOUT_TEXT = {"gradient": smooth, "landscape": landscape, "bricks": bricks, "leaves": leaves}
