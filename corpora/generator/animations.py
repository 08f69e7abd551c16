"""GIF animations by how the text is spread over their frames, broken ones and bombs."""

import struct

from PIL import Image, ImageDraw

from .gif import Frame, animation, lzw
from .pictures import decoy_gif, flicker_gif, paletted, speckled, strips_gif, window_gif
from .techniques import Style, draw


def still(lines, random, least=15):
    return draw(lines, Style(random, least, 20))


def strips(lines, random):
    return strips_gif(still(lines, random), random.randint(4, 8))


def strips_with_noise(lines, random):
    return strips_gif(speckled(still(lines, random), random, 0.006), random.randint(4, 7))


def window(lines, random):
    return window_gif(still(lines, random), random.randint(4, 9))


def flicker(lines, random):
    return flicker_gif(still(lines, random), random.randint(4, 9))


def decoy(lines, random):
    return decoy_gif(still(lines, random))


def line_a_frame(lines, random):
    """One line a frame at its place, each put back before the next: all is read only over time."""
    whole = paletted(still(lines, random))
    ground, height = whole.getpixel((0, 0)), whole.height
    blank = empty(whole, ground)
    edges = [height * n // 3 for n in range(4)]
    frames = [Frame(blank, delay=5)]
    frames += [Frame(whole.crop((0, top, whole.width, end)), 0, top, 120, 3) for top, end in zip(edges_clear(whole, edges), edges_clear(whole, edges)[1:])]
    return animation(whole.size, frames)


def edges_clear(whole, edges):
    """Edges moved down to rows without ink, lest a line of text is cut in two."""
    ground, rows = whole.getpixel((0, 0)), []
    for edge in edges:
        while 0 < edge < whole.height and any(index != ground for index in whole.crop((0, edge, whole.width, edge + 1)).tobytes()):
            edge += 1
        rows.append(edge)
    return rows


def empty(whole, ground, size=None):
    blank = Image.new("P", size or whole.size, ground)
    blank.putpalette(whole.getpalette())
    return blank


def background(lines, random):
    """Half of the text, disposed of to the background, then the other half."""
    whole = paletted(still(lines, random))
    middle = edges_clear(whole, [whole.height // 2])[0]
    top, bottom = whole.crop((0, 0, whole.width, middle)), whole.crop((0, middle, whole.width, whole.height))
    return animation(whole.size, [Frame(top, 0, 0, 150, 2), Frame(bottom, 0, middle, 150, 2)])


def transparent(lines, random):
    """The letters alone, transparent around them, in two layers over the ground."""
    whole = paletted(still(lines, random))
    ground = whole.getpixel((0, 0))
    layers = [empty(whole, ground), empty(whole, ground)]
    step = random.randint(5, 11)
    for x in range(0, whole.width, step):
        box = (x, 0, min(x + step, whole.width), whole.height)
        layers[x // step % 2].paste(whole.crop(box), box[:2])
    return animation(whole.size, [Frame(empty(whole, ground), delay=2)] + [Frame(layer, 0, 0, 60, 1, ground) for layer in layers])


def tiles(lines, random):
    """Rectangles at offsets, in any order."""
    whole = paletted(still(lines, random))
    columns, rows = random.randint(3, 5), random.randint(2, 4)
    frames = []
    for column in range(columns):
        for row in range(rows):
            left, right = whole.width * column // columns, whole.width * (column + 1) // columns
            top, bottom = whole.height * row // rows, whole.height * (row + 1) // rows
            frames.append(Frame(whole.crop((left, top, right, bottom)), left, top, 8))
    random.shuffle(frames)
    frames[-1].delay = 800
    return animation(whole.size, frames)


def palettes(lines, random):
    """The text in frames with colour tables of their own, all shades wrong in the table of the file."""
    picture = still(lines, random)
    whole = paletted(picture)
    middle = whole.height // 2
    frames = []
    for top, bottom in [(0, middle), (middle, whole.height)]:
        part = paletted(picture.crop((0, top, whole.width, bottom)))
        frames.append(Frame(part, 0, top, 200, palette=part.getpalette()))
    frames.insert(0, Frame(empty(whole, whole.getpixel((0, 0))), delay=1))
    return animation(whole.size, frames)


def interlaced(lines, random):
    whole = paletted(still(lines, random))
    return animation(whole.size, [Frame(whole, delay=100, interlaced=True)])


def scrolling(lines, random):
    """The text comes in from below and stands still."""
    whole = paletted(still(lines, random))
    ground, frames = whole.getpixel((0, 0)), []
    for shift in range(whole.height * 3 // 4, 0, -whole.height // 5):
        frame = empty(whole, ground)
        frame.paste(whole.crop((0, 0, whole.width, whole.height - shift)), (0, shift))
        frames.append(Frame(frame, delay=6))
    return animation(whole.size, frames + [Frame(whole, delay=900)])


def noise_frames(lines, random):
    """Another speckle over the same text in every frame, and frames of nothing but noise shown for an instant."""
    picture = still(lines, random, 16)
    frames = [Frame(paletted(speckled(picture.copy(), random, 0.01)), delay=60) for _ in range(3)]
    for frame in frames[1:]:
        frame.palette = frame.picture.getpalette()
    first = frames[0].picture
    static = Image.frombytes("P", first.size, bytes(random.randrange(16) for _ in range(first.width * first.height)))
    static.putpalette(first.getpalette())
    return animation(first.size, frames[:1] + [Frame(static, delay=2)] + frames[1:])


def cut(lines, random):
    """Strips whose file ends in the middle of a last frame that only repeats the first."""
    data = strips(lines, random)
    return data[:-random.randint(1, 12)]


def garbage(lines, random):
    return strips(lines, random)[:-1] + random.randbytes(200)


KINDS = {
    "strips": strips, "strips with noise": strips_with_noise, "widening window": window, "flicker": flicker, "decoy": decoy,
    "line a frame": line_a_frame, "background": background, "transparent": transparent, "tiles": tiles, "palettes": palettes,
    "interlaced": interlaced, "scrolling": scrolling, "noise frames": noise_frames, "no trailer": cut, "trailing garbage": garbage,
}


def balloons(random):
    """Harmless: shapes that move."""
    first = None
    frames = []
    places = [(random.randrange(20, 180), random.randrange(40, 160), random.randrange(8, 16)) for _ in range(7)]
    for step in range(6):
        picture = Image.new("RGB", (200, 140), (230, 240, 255))
        pen = ImageDraw.Draw(picture)
        for number, (x, y, r) in enumerate(places):
            pen.ellipse([x - r, y - step * 9 - r, x + r, y - step * 9 + r], (200, 40 * (number % 3), 60))
        first = first or paletted(picture)
        frames.append(Frame(picture.quantize(palette=first, dither=Image.Dither.NONE), delay=12))
    return animation((200, 140), frames)


def bombs():
    """Files that make much work of few bytes: name -> bytes."""
    dot = Image.new("P", (1, 1), 0)
    dot.putpalette([0, 0, 0, 255, 255, 255])
    head = b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0x80, 0, 0) + bytes([0, 0, 0, 255, 255, 255])
    plain = Image.new("P", (1000, 1000), 1)
    plain.putpalette([0, 0, 0, 255, 255, 255])
    full = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1000, 1000, 0) + b"\x02" + lzw(plain.tobytes(), 2)
    yield "huge-screen", animation((65535, 65535), [Frame(dot)], bits=2)
    yield "ten-thousand-frames", animation((600, 400), [Frame(dot, delay=1)] * 10_000, bits=2)
    yield "thousand-full-frames", head[:6] + struct.pack("<HH", 1000, 1000) + head[10:] + full * 1000 + b"\x3b"
    yield "zero-sized-frames", head + (b"\x2c" + struct.pack("<HHHHB", 5, 5, 0, 0, 0) + b"\x02\x00") * 5000 + b"\x3b"
    yield "endless-codes", head + b"\x2c" + struct.pack("<HHHHB", 0, 0, 65535, 65535, 0) + b"\x08" + (b"\xff" + b"\x55" * 255) * 2000
