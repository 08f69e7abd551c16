"""PDFs by how their pages hold the text: as text, as a scan, as outlines, encrypted, long, broken."""

import hashlib
import re

from PIL import Image, ImageDraw

from .pdf import Document
from .pictures import FONTS, encode, font, scan

PADDING = bytes.fromhex("28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a")


def text(lines, random):
    document = Document()
    document.text_page(lines, size=random.randint(10, 14))
    return document.bytes("Letter")


def scanned(lines, random):
    sheet = scan(lines, random, points=random.randint(26, 34))
    document = Document()
    document.picture_page(encode(sheet, "JPEG", quality=60), *sheet.size, True)
    return document.bytes("Scan")


def outlines(lines, random):
    """Letters as filled shapes, without any font: runs of the pixels of a large drawing."""
    points, scale = random.randint(13, 18), 4
    face = font(f"{FONTS}/dejavu/DejaVuSerif.ttf", points * scale)
    content, bottom = b"0 g\n", 780
    for line in lines:
        mask = Image.new("L", (face.getbbox(line)[2] + 4, points * scale * 3 // 2), 0)
        ImageDraw.Draw(mask).text((0, 0), line, font=face, fill=255)
        pixels, width = mask.tobytes(), mask.width
        for y in range(mask.height):
            row = pixels[y * width : (y + 1) * width]
            for run in re.finditer(rb"[\x80-\xff]+", row):
                x, length = run.start(), len(run.group())
                content += b"%.2f %.2f %.2f %.2f re\n" % (50 + x / scale, bottom - y / scale, length / scale, 1 / scale)
        content += b"f\n"
        bottom -= points * 2
    document = Document()
    document.page(content, b"")
    return document.bytes("Drawing")


def rc4(key, data):
    state, j = list(range(256)), 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) & 255
        state[i], state[j] = state[j], state[i]
    out, i, j = bytearray(), 0, 0
    for byte in data:
        i = (i + 1) & 255
        j = (j + state[i]) & 255
        state[i], state[j] = state[j], state[i]
        out.append(byte ^ state[(state[i] + state[j]) & 255])
    return bytes(out)


def encrypted(lines, random):
    """An empty user password, 40-bit RC4 (PDF 1.4, 3.5): every reader opens it without asking."""
    plain = text(lines, random)
    ident, rights = random.randbytes(16), -44
    owner = rc4(hashlib.md5(b"owner".ljust(5) + PADDING[:27]).digest()[:5], PADDING)
    key = hashlib.md5(PADDING + owner + rights.to_bytes(4, "little", signed=True) + ident).digest()[:5]
    out, offsets = bytearray(plain[:15]), []
    for match in re.finditer(rb"(\d+) 0 obj\n(.*?)\nendobj\n", plain, re.DOTALL):
        number, body = int(match[1]), match[2]
        own = hashlib.md5(key + number.to_bytes(3, "little") + b"\0\0").digest()[:10]
        begin = body.find(b"\nstream\n")
        if begin >= 0:
            body = body[: begin + 8] + rc4(own, body[begin + 8 : -10]) + b"\nendstream"
        elif b"/Title" in body:
            body = b"<< /Title <%s> >>" % rc4(own, b"Letter").hex().encode()
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start, count = len(out), len(offsets) + 1
    out += b"xref\n0 %d\n0000000000 65535 f \n" % count + b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    handler = b"<< /Filter /Standard /V 1 /R 2 /P %d /O <%s> /U <%s> >>" % (rights, owner.hex().encode(), rc4(key, PADDING).hex().encode())
    ident = ident.hex().encode()
    out += b"trailer\n<< /Size %d /Root 1 0 R /Encrypt %s /ID [<%s> <%s>] >>\nstartxref\n%d\n%%%%EOF\n" % (count, handler, ident, ident, start)
    return bytes(out)


def fifty_pages(lines, random):
    """What it is about stands on the first page and on the last."""
    document = Document()
    half = len(lines) // 2
    document.text_page(lines[:half])
    for number in range(48):
        document.text_page([f"Page {number + 2}"])
    document.text_page(lines[half:])
    return document.bytes("Report")


def wrong_xref(lines, random):
    """The table of objects points anywhere."""
    data = text(lines, random)
    return re.sub(rb"\d{10} 00000 n", lambda _: b"%010d 00000 n" % random.randrange(len(data)), data)


def no_end(lines, random):
    """The file ends before its table of objects."""
    data = text(lines, random)
    return data[: data.rindex(b"xref\n0 ") - random.randint(0, 20)]


def shifted(lines, random):
    """Something stands before the header, so that all offsets are wrong."""
    return b"Content-Transfer-Encoding: binary\r\n\r\n" + text(lines, random)


KINDS = {"text": text, "scan": scanned, "outlines": outlines, "encrypted": encrypted, "fifty pages": fifty_pages}
BROKEN = {"wrong xref": wrong_xref, "no end": no_end, "shifted": shifted}
