"""Spam that says it in a picture, the animated kinds of 2006-07 among them."""

from .mail import Sample, attachment, html, multipart, spam, text
from .pictures import (
    BOLD, NARROW, SERIF, decoy_gif, encode, flicker_gif, gradient, layers_gif, lines_on, page, speckled, strips_gif, window_gif,
)

PILLS = ["Online Pharmacy: best prices", "Viagra 100mg only $1.90 per pill", "Cialis 20mg only $2.80 per pill",
         "Levitra 20mg only $3.10 per pill", "No prescription required", "Just type www.pillstore.test",
         "in the address bar of your browser"]
MEDS = ["Your trusted Canadian pharmacy", "VIAGRA from 1.15 dollars", "CIALIS from 1.95 dollars",
        "XANAX and VALIUM in stock", "Save 80 percent today", "Order now at www.meds-shop.test"]
SOMA = ["Discount medications online", "Viagra Cialis Soma Ambien", "Lowest price guaranteed", "Overnight shipping worldwide",
        "No doctor visit needed", "Type www.rx-direct.test"]
STOCK = ["HOT STOCK ALERT", "Company: Golden Ridge Mining", "Symbol: GRMX", "Price today: $0.22", "Target price: $1.50",
         "STRONG BUY before Monday", "This stock will explode"]
TRADE = ["INVESTOR ALERT", "Trade date: Monday", "Symbol: PWRX", "Current price 0.45", "Expected to reach 3.00", "Buy now before the news"]
PUMP = ["Breaking news for investors", "Watch symbol SNTX", "Last price 0.31", "Profit of 400 percent expected", "Get in on Friday"]
SPINS = ["GRAND ONLINE CASINO", "500 FREE spins welcome bonus", "No deposit required", "Play poker and roulette", "Win real money today",
         "www.grand-spins.test"]
PAY_ME = ["I have recorded you through your webcam", "Send 900 dollars in Bitcoin to my wallet", "You have 48 hours to make the payment",
          "or I will send the video to your contacts"]
PRIZE = ["CONGRATULATIONS WINNER", "You have won the lottery", "Claim your prize of 850,000 euros", "Contact our agent today"]
OFERTA = ["Préstamos rápidos sin aval", "Hasta 60.000 euros en 24 horas", "Aprobación garantizada", "Llame ahora al 555 0134"]
DIPLOMA = ["UNIVERSITY DIPLOMAS", "Bachelor Master MBA and PhD", "No exams and no classes", "Call now 555 0188"]

CHATTER = """
He looked at the garden for a while. The train was late again, and nobody on the platform seemed to mind. "We could walk",
she said, but the rain had not stopped since the morning and the road along the river was under water.
"""


def with_picture(name, sender, subject, data, content_type, file, chatter=CHATTER):
    """The usual dress: a picture, and below it words that mean nothing."""
    cid = file.split(".")[0]
    body = f'<html><body><img src="cid:{cid}"><p><font color="#999999">{chatter.strip()}</font></p></body></html>'
    return spam(name, sender, subject, multipart("related", html(body), attachment(data, content_type, file, "inline", cid)))


def stills(random):
    data = encode(page(PILLS, (430, 230), size=19, path=NARROW), "PNG", optimize=True)
    yield Sample(
        "picture-pharmacy-png", "pharmacy", "en", "PNG with clean text, address to type",
        with_picture("picture-pharmacy-png", ("Lenora Wolfe", "lenora.wolfe@mail.example"), "hello again", data, "image/png", "sky.png"),
        "\n".join(PILLS))
    picture = speckled(page(STOCK, (420, 240), size=20, path=SERIF, ground=(250, 248, 235)), random, 0.012)
    yield Sample(
        "picture-stock-jpeg", "stock", "en", "JPEG with coloured single-pixel noise",
        with_picture("picture-stock-jpeg", ("Emmett Sykes", "sykes@mail.example"), "it was a good day", encode(picture, "JPEG", quality=82),
                     "image/jpeg", "day.jpg"),
        "\n".join(STOCK))
    picture = gradient((440, 230), (255, 240, 190), (255, 190, 120))
    lines_on(picture, SPINS, 21, BOLD)
    yield Sample(
        "picture-casino-webp", "casino", "en", "WebP with text on a gradient",
        with_picture("picture-casino-webp", ("Grand Spins", "win@grand-spins.test"), "Your free spins", encode(picture, "WEBP", quality=80),
                     "image/webp", "spins.webp", "Free spins for you."),
        "\n".join(SPINS))
    picture = page(PAY_ME, (560, 170), (30, 30, 40), size=21, inks=[(240, 240, 240)])
    yield Sample(
        "picture-extortion-png", "extortion", "en", "light text on dark, wallet left out of the text",
        spam("picture-extortion-png", ("you", "ana@example.net"), "ana@example.net was hacked",
             multipart("mixed", text("Read the picture. Bitcoin wallet: 1BoatSLRHtKNngkdXEeobR76b53LETtpyT\n"),
                       attachment(encode(picture, "PNG", optimize=True), "image/png", "read_me.png"))),
        "\n".join(PAY_ME))
    data = encode(page(OFERTA, (430, 160), size=22, path=NARROW), "PNG", optimize=True)
    yield Sample(
        "imagen-prestamo-png", "loans", "es", "Spanish words in a PNG, type that lies (says image/gif)",
        with_picture("imagen-prestamo-png", ("Finanzas Fáciles", "info@finanzas-faciles.test"), "Su préstamo está aprobado", data,
                     "image/gif", "oferta.gif", "Su préstamo urgente ha sido aprobado. Responda hoy."),
        "\n".join(OFERTA))
    data = encode(page(DIPLOMA, (440, 160), size=22, path=BOLD).quantize(16), "BMP")
    yield Sample(
        "picture-diploma-bmp", "diploma", "en", "BMP with a palette",
        with_picture("picture-diploma-bmp", ("Admissions", "study@quick-degrees.test"), "Get your university diploma without exams",
                     data, "image/bmp", "degree.bmp", "University diplomas without exams. Call now."),
        "\n".join(DIPLOMA))


def animations(random):
    kinds = [
        ("gif-strips", "pharmacy", MEDS, "animated GIF, one strip of text a frame",
         lambda lines: strips_gif(page(lines, (450, 200), size=21, path=BOLD), 6)),
        ("gif-strips-noise", "pharmacy", SOMA, "animated GIF, strips with noise, no trailer",
         lambda lines: strips_gif(speckled(page(lines, (440, 210), size=22, path=BOLD), random, 0.004), 5)[:-1]),
        ("gif-window", "stock", TRADE, "animated GIF, a window that widens until all is seen",
         lambda lines: window_gif(page(lines, (400, 200), size=21, path=NARROW), 7)),
        ("gif-decoy", "stock", STOCK[:5], "animated GIF, the payload long, a blank frame last",
         lambda lines: decoy_gif(page(lines, (400, 170), size=21))),
        ("gif-flicker", "stock", PUMP, "animated GIF, letter columns spread over two frames",
         lambda lines: flicker_gif(page(lines, (420, 190), size=22, path=BOLD, inks=[(0, 0, 0)]))),
        ("gif-layers", "lottery", PRIZE, "animated GIF, transparent layers over a ground",
         lambda lines: layers_gif(gradient((470, 160), (255, 250, 200), (255, 225, 150)), lines)),
    ]
    subjects = ["good news", "Re: your order", "news for you", "did you see this", "fwd: the plan", "You are a winner"]
    for (name, kind, lines, tests, draw), subject in zip(kinds, subjects):
        file = f"{name.split('-')[1]}{random.randrange(100, 999)}.gif"
        sender = (random.choice(["Clara Hume", "Victor Ashe", "Mona Prior", "Otis Flint"]), f"{name}@mail.example")
        yield Sample(name, kind, "en", tests, with_picture(name, sender, subject, draw(lines), "image/gif", file), "\n".join(lines))


def samples(random):
    yield from stills(random)
    yield from animations(random)
