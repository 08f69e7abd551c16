"""Mails whose pictures and documents are made to be slow: name -> bytes of the mail."""

import base64
import struct
import zlib


def attached(data, kind):
    """A mail of a picture or document and nothing else."""
    head = f"From: someone@example.com\nSubject: look\nMIME-Version: 1.0\nContent-Type: {kind}\n"
    return (head + "Content-Transfer-Encoding: base64\n\n").encode() + base64.encodebytes(data)


def png(width, height, rows):
    """Of one byte a pixel, grey; `rows` are its pixels from the top, and may break off."""
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    packed = zlib.compressobj(9)
    data = b"".join(packed.compress(b"\0" + row) for row in rows) + packed.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


# One white pixel, in LZW codes of three bits: clear, 1, end.
PIXEL = b"\x02\x02\x4c\x01\x00"


def gif(width, height, frames):
    screen = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes([0, 0, 0, 255, 255, 255])
    return screen + b"".join(frames) + b"\x3b"


def frame(x=0, y=0, width=1, height=1, data=PIXEL):
    return b"\x2c" + struct.pack("<HHHHB", x, y, width, height, 0) + data


def finder_rows(size, module=1):
    """Finder patterns of QR codes side by side, as many as fit."""
    pattern = ["1111111", "1000001", "1011101", "1011101", "1011101", "1000001", "1111111", "0000000"]
    for row in pattern * (size // (8 * module)):
        line = b"".join((b"\0" if pixel == "1" else b"\xff") * module for pixel in row + "0")
        for _ in range(module):
            yield (line * (size // len(line) + 1))[:size]


def jpeg_passes(side, passes):
    """A white progressive JPEG (ITU-T T.81) of side * side pixels, each pass over which is a few bytes: runs of blocks to
    which it adds nothing."""

    def segment(marker, body):
        return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body

    def one_code(table, symbol):
        return segment(0xC4, bytes([table, 1, *[0] * 15, symbol]))

    blocks = (side // 8) ** 2
    components = b"".join(bytes([number, 0x11, 0]) for number in (1, 2, 3))
    out = b"\xff\xd8" + segment(0xDB, bytes([0, *[1] * 64]))
    out += segment(0xC2, struct.pack(">BHHB", 8, side, side, 3) + components)
    out += one_code(0x00, 0) + one_code(0x10, 0xE0)
    out += segment(0xDA, b"\x03\x01\0\x02\0\x03\0\0\0\x01") + bytes(3 * blocks // 8)
    # A code of one bit, then 14 bits of the run's length.
    runs = ("0" + "1" * 14) * -(-blocks // (2**15 - 1))
    runs += "1" * (-len(runs) % 8)
    packed = int(runs, 2).to_bytes(len(runs) // 8, "big").replace(b"\xff", b"\xff\0")
    for number in range(passes):
        # The first pass over a component, then passes that make its numbers more exact.
        precision = 0x01 if number < 3 else 0x10
        out += segment(0xDA, bytes([1, number % 3 + 1, 0, 1, 63, precision])) + packed
    return out + b"\xff\xd9"


def pictures(rng):
    yield "jpeg-passes", attached(jpeg_passes(5000, 45), "image/jpeg")
    yield "gif-frames", attached(gif(600, 400, [frame(rng.randrange(600), rng.randrange(400)) for _ in range(10_000)]), "image/gif")
    endless = b"\x08" + (b"\xff" + b"\x55" * 255) * 2000
    yield "gif-endless", attached(gif(65535, 65535, [frame(0, 0, 65535, 65535, endless)]), "image/gif")
    yield "gif-empty-frames", attached(gif(65535, 65535, [frame(width=0, height=0, data=b"\x02\0")] * 5000), "image/gif")
    yield "png-bomb", attached(png(20_000, 20_000, (bytes(20_000) for _ in range(20_000))), "image/png")
    yield "png-noise", attached(png(1500, 1500, (rng.randbytes(1500) for _ in range(1500))), "image/png")
    bits = [bytes(rng.choice((0, 255)) for _ in range(1600)) for _ in range(40)]
    yield "png-checkered", attached(png(1600, 1600, (bits[y % 40] for y in range(1600))), "image/png")
    yield "qr-finders", attached(png(1600, 1600, finder_rows(1600)), "image/png")
    yield "qr-finders-large", attached(png(1600, 1600, finder_rows(1600, 3)), "image/png")


def document(objects):
    """A PDF of these objects, the first of them its catalog."""
    out, offsets = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(offsets) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return bytes(out + b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(offsets) + 1, table))


def pages(count, content, resources=b"<<>>"):
    """A PDF of `count` pages, all with the same content."""
    kids = b" ".join(b"%d 0 R" % (number + 4) for number in range(count))
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 3 0 R/Resources %s>>" % resources
    packed = zlib.compress(content, 9)
    stream = b"<</Filter/FlateDecode/Length %d>>stream\n%s\nendstream" % (len(packed), packed)
    tree = b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, count)
    return document([b"<</Type/Catalog/Pages 2 0 R>>", tree, stream, *[page] * count])


def forms(levels=9):
    """A page that draws a form ten times, which draws another ten times, and so on: 10^levels letters."""
    font = b"<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>%s>>"
    objects = [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>"]
    draws = b"/X Do " * 10
    stream = b"<</Length %d%s>>stream\n%s\nendstream"
    below = font % b"/XObject<</X 5 0 R>>"
    objects.append(b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R/Resources %s>>" % below)
    objects.append(stream % (len(draws), b"", draws))
    for level in range(levels):
        content = draws if level < levels - 1 else b"BT /F 12 Tf 50 700 Td (x) Tj ET"
        below = font % (b"/XObject<</X %d 0 R>>" % (level + 6))
        kind = b"/Type/XObject/Subtype/Form/BBox[0 0 600 800]/Resources " + below
        objects.append(stream % (len(content), kind, content))
    return document(objects)


def documents(rng):
    font = b"<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>"
    text = b"BT /F 12 Tf 50 700 Td (hello there) Tj ET\n"
    made = {
        "pdf-pages": pages(1000, text * 20, font),
        "pdf-content": pages(1, text * 200_000, font),
        "pdf-paths": pages(1, b"0 0 m 600 800 l 0 800 l 600 0 l f\n" * 200_000),
        "pdf-saves": pages(1, b"q 1 0 0 1 1 1 cm " * 200_000),
        "pdf-forms": forms(),
        "pdf-nested": document([b"<</Type/Catalog/Pages 2 0 R>>", b"[" * 200_000]),
        "pdf-cycle": document([b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[2 0 R 2 0 R 2 0 R]/Count 3>>"]),
        "pdf-objects": b"%PDF-1.4\n" + b"1 0 obj\n" * 200_000,
    }
    for name, data in made.items():
        yield name, attached(data, "application/pdf")
