"""Mails whose structure is made to be slow: name -> bytes of the mail."""

import base64

from .hostile_text import MB, filled, mail


def multipart(*lines, boundary="b"):
    head = f"From: someone@example.com\nSubject: hello\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary={boundary}\n\n"
    return head.encode() + "\n".join(lines).encode()


def encoded(body, how, kind="text/plain"):
    return mail(body, f"Content-Transfer-Encoding: {how}", kind=kind)


def structures(rng):
    """Trees of parts."""
    yield "parts", multipart("--b\n\nx\n" * 100_000, "--b--")
    yield "parts-empty", multipart("--b\n" * 200_000)
    yield "parts-html", multipart("--b\nContent-Type: text/html\n\n<p>x\n" * 30_000, "--b--")
    yield "parts-named", multipart(
        *(f'--b\nContent-Type: image/png; name="{n}.png"\nContent-Id: <{n}>\n\nx\n' for n in range(30_000)), "--b--"
    )
    levels = [f"Content-Type: multipart/mixed; boundary={n}\n\n--{n}" for n in range(10_000)]
    yield "parts-deep", ("Subject: hello\nMIME-Version: 1.0\n" + "\n".join(levels)).encode()
    same = "Content-Type: multipart/mixed; boundary=b\n\n--b\n"
    yield "parts-deep-same", ("MIME-Version: 1.0\n" + same * 20_000).encode()
    yield "boundaries-almost", multipart(filled("--bb\n--b-\n--\n"))
    yield "boundary-long", multipart(filled("--" + "b" * 900 + "\n"), boundary="b" * 1000)
    yield "messages-deep", ("MIME-Version: 1.0\n" + "Content-Type: message/rfc822\n\n" * 20_000).encode()
    yield "messages-encoded", onion()
    tree = b"Subject: leaf\n\n" + b"x" * 1000
    for level in range(5):
        part = b"--%d\nContent-Type: message/rfc822\n\n" % level + tree + b"\n"
        tree = b"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=%d\n\n" % level + part * 5
    yield "messages-tree", tree


def onion(layers=24):
    """A message in base64 in a message in base64: each layer is decoded anew."""
    inner = b"Subject: core\n\n" + b"x" * 1000
    for _ in range(layers):
        head = b"MIME-Version: 1.0\nContent-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n"
        inner = head + base64.encodebytes(inner)
    return inner


def encodings(rng):
    """Encodings of nothing, or of too much."""
    yield "base64-nothing", encoded(filled("=" * 76 + "\n", 4 * MB), "base64")
    yield "base64-junk", encoded(filled("!*-_ \n", 4 * MB), "base64")
    yield "base64-one-line", encoded(filled("QUJD", 4 * MB), "base64")
    yield "quoted-nothing", encoded(filled("=\n", 4 * MB), "quoted-printable")
    yield "quoted-broken", encoded(filled("=4=G=", 4 * MB), "quoted-printable")
    yield "uuencode-starts", encoded(filled("begin 644 a\n"), "x-uuencode")
    for charset, piece in [
        ("utf-7", "+AGE-+"),
        ("iso-2022-jp", "\x1b$B\x1b(B\x1b(J"),
        ("gb18030", "\u0081\u0030"),
        ("utf-16", "\0\n\n\0"),
        ("no-such-charset", "\u00e9\u00e8 "),
    ]:
        text = filled(piece)
        yield f"charset-{charset}", mail("").replace(b"charset=utf-8", f"charset={charset}".encode()) + text.encode(
            "latin-1"
        )
    yield "nul", mail(filled("\0"))
    yield "line-ends", mail(filled("\r\n\r\r\n\n"))


def giants(rng):
    """50 MB each."""
    size = 50 * MB
    line = "".join(rng.choices("abcdefghij klmnopqrstuvw xyz", k=72)) + "\n"
    yield "giant-text", mail(filled(line, size))
    yield "giant-html", mail(filled(f"<p>{line}", size), kind="text/html")
    yield "giant-line", mail(filled(line.strip(), size))
    yield "giant-base64", encoded(filled("QUJD" * 19 + "\n", size), "base64", "application/octet-stream")
    yield "giant-text-base64", encoded(filled("YWJjIGRl" * 9 + "\n", size), "base64")
