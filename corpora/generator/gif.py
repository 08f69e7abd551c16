"""Writes animated GIFs frame by frame, with offsets, disposal, delays and transparency as asked.

PIL's own writer merges and crops frames as it likes, and how a picture is spread over its frames
is just what these samples are about.
"""

import struct
from dataclasses import dataclass

from PIL import Image


@dataclass
class Frame:
    picture: Image.Image  # mode "P"; all frames share the palette of the first, or have their own
    x: int = 0
    y: int = 0
    delay: int = 10  # hundredths of a second
    disposal: int = 1  # 0 unspecified, 1 keep, 2 background, 3 previous
    transparent: int | None = None
    interlaced: bool = False
    palette: list | None = None  # of this frame alone


def lzw(indices, bits):
    """GIF's variable-width LZW as sub-blocks."""
    clear, end = 1 << bits, (1 << bits) + 1
    out, acc, filled = bytearray(), 0, 0
    width, table, code_next = bits + 1, {}, end + 1

    def put(code):
        nonlocal acc, filled
        acc |= code << filled
        filled += width
        while filled >= 8:
            out.append(acc & 255)
            acc >>= 8
            filled -= 8

    put(clear)
    prefix = indices[0]
    for index in indices[1:]:
        key = prefix << 8 | index
        if key in table:
            prefix = table[key]
            continue
        put(prefix)
        table[key] = code_next
        if code_next == 1 << width:
            width += 1
        code_next += 1
        if code_next == 4096:
            put(clear)
            width, table, code_next = bits + 1, {}, end + 1
        prefix = index
    put(prefix)
    put(end)
    if filled:
        out.append(acc & 255)
    blocks = (out[at : at + 255] for at in range(0, len(out), 255))
    return b"".join(bytes([len(block)]) + bytes(block) for block in blocks) + b"\0"


def table(palette, bits):
    colours = bytes(palette[: 3 << bits])
    return colours + bytes((3 << bits) - len(colours))


def rows(frame):
    """The pixels in the order of the file (GIF89a, appendix E)."""
    width, height = frame.picture.size
    pixels = frame.picture.tobytes()
    if not frame.interlaced:
        return pixels
    order = [y for first, step in [(0, 8), (4, 8), (2, 4), (1, 2)] for y in range(first, height, step)]
    return b"".join(pixels[y * width : (y + 1) * width] for y in order)


def animation(size, frames, bits=4, loops=0, background=0):
    """The file's bytes. `bits` is the depth of the palette."""
    data = b"GIF89a" + struct.pack("<HHBBB", *size, 0xF0 | bits - 1, background, 0)
    data += table(frames[0].picture.getpalette(), bits)
    data += b"\x21\xff\x0bNETSCAPE2.0\x03\x01" + struct.pack("<H", loops) + b"\0"
    for frame in frames:
        flags = frame.disposal << 2 | (frame.transparent is not None)
        data += b"\x21\xf9\x04" + struct.pack("<BHBB", flags, frame.delay, frame.transparent or 0, 0)
        packed = frame.interlaced << 6 | (0x80 | bits - 1 if frame.palette else 0)
        data += b"\x2c" + struct.pack("<HHHHB", frame.x, frame.y, *frame.picture.size, packed)
        data += table(frame.palette, bits) if frame.palette else b""
        data += bytes([bits]) + lzw(rows(frame), bits)
    return data + b"\x3b"
