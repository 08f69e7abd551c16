"""QR codes, on paper and off: plain, inverted, coloured, turned, noisy, several a picture."""

import qrcode
from PIL import Image, ImageOps

from .gif import Frame, animation
from .pictures import paletted, speckled
from .techniques import DARK, PALE, Style, draw


def link(random):
    return f"https://{random.choice(['login', 'parcel', 'billing', 'secure'])}.example/{random.randrange(16**6):06x}"


def code(address, random):
    maker = qrcode.QRCode(error_correction=random.choice([qrcode.ERROR_CORRECT_L, qrcode.ERROR_CORRECT_M, qrcode.ERROR_CORRECT_Q]),
                          box_size=random.randint(3, 7), border=4)
    maker.add_data(address)
    return maker.make_image().get_image().convert("RGB")


def plain(random):
    address = link(random)
    return [address], code(address, random)


def inverted(random):
    address = link(random)
    return [address], ImageOps.invert(code(address, random))


def coloured(random):
    address = link(random)
    grey = code(address, random).convert("L")
    return [address], ImageOps.colorize(grey, random.choice(DARK), random.choice(PALE))


def turned(random):
    address = link(random)
    return [address], code(address, random).rotate(random.uniform(-20, 20), Image.Resampling.BICUBIC, expand=True, fillcolor=(255, 255, 255))


def noisy(random):
    address = link(random)
    return [address], speckled(code(address, random), random, 0.01)


def two(random):
    addresses = [link(random), link(random)]
    pictures = [code(address, random) for address in addresses]
    whole = Image.new("RGB", (sum(p.width for p in pictures), max(p.height for p in pictures)), (255, 255, 255))
    whole.paste(pictures[0], (0, 0))
    whole.paste(pictures[1], (pictures[0].width, 0))
    return addresses, whole


def with_text(random):
    address = link(random)
    picture = code(address, random)
    words = draw(["Scan to see your parcel"], Style(random, 14, 16))
    whole = Image.new("RGB", (max(picture.width, words.width), picture.height + words.height), (255, 255, 255))
    whole.paste(words, (0, 0))
    whole.paste(picture, (0, words.height))
    return [address], whole


def halves(random):
    """An animation that shows the upper half and then the lower one below it."""
    address = link(random)
    whole = paletted(code(address, random), 4)
    middle = whole.height // 2
    top, bottom = whole.crop((0, 0, whole.width, middle)), whole.crop((0, middle, *whole.size))
    return [address], animation(whole.size, [Frame(top, 0, 0, 20), Frame(bottom, 0, middle, 500)], bits=2)


KINDS = {"plain": plain, "inverted": inverted, "coloured": coloured, "turned": turned, "noisy": noisy, "two": two,
         "with text": with_text, "halves": halves}
