"""Builds mail byte by byte: nothing here depends on the clock, and a name seeds all that looks random.

Python's own email package is not used for writing: samples need the encodings, mistakes and line
ends that real mail has, and the same bytes from every version of Python.
"""

import base64
import hashlib
import quopri
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

DAYS = "Mon Tue Wed Thu Fri Sat Sun".split()
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


@dataclass
class Sample:
    """One mail with what is to know of it; the columns of manifest.tsv."""

    name: str  # file name without .eml
    kind: str
    language: str
    tests: str  # what of the engine it exercises
    data: bytes
    truth: str = ""  # the text that only a picture or a document shows


def rfc_date(moment, zone="+0000"):
    return (
        f"{DAYS[moment.weekday()]}, {moment.day} {MONTHS[moment.month - 1]} {moment.year} "
        f"{moment:%H:%M:%S} {zone}"
    )


def wrap64(data):
    text = base64.b64encode(data)
    return b"\n".join(text[at : at + 76] for at in range(0, len(text), 76)) + b"\n"


def word(text, charset="utf-8", how="B"):
    """A header value as RFC 2047 encoded words, or as it is where ASCII does."""
    if text.isascii():
        return text
    words = []
    for at in range(0, len(text), 18):
        piece = text[at : at + 18].encode(charset)
        if how == "B":
            coded = base64.b64encode(piece).decode()
        else:
            safe = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-"
            coded = "".join("_" if b == 32 else chr(b) if b in safe else f"={b:02X}" for b in piece)
        words.append(f"=?{charset}?{how}?{coded}?=")
    return "\n ".join(words)


@dataclass
class Part:
    content_type: str
    body: bytes
    encoding: str = "7bit"
    headers: list = field(default_factory=list)

    def encoded(self):
        if self.encoding == "base64":
            return wrap64(self.body)
        if self.encoding == "quoted-printable":
            return quopri.encodestring(self.body)
        return self.body

    def lines(self):
        head = [("Content-Type", self.content_type), ("Content-Transfer-Encoding", self.encoding)]
        return head + self.headers


def text(body, charset="utf-8", encoding=None, subtype="plain"):
    """A text part; ASCII goes as 7bit, all else as quoted-printable unless told otherwise."""
    body = body.strip("\n") + "\n"
    if encoding is None:
        encoding = "7bit" if body.isascii() and max(map(len, body.split("\n"))) < 200 else "quoted-printable"
    charset_name = "us-ascii" if body.isascii() and charset == "utf-8" and encoding == "7bit" else charset
    return Part(f"text/{subtype}; charset={charset_name}", body.encode(charset), encoding)


def html(body, charset="utf-8", encoding="quoted-printable"):
    return text(body, charset, encoding, "html")


def attachment(data, content_type, name, disposition="attachment", cid=None):
    headers = [("Content-Disposition", f'{disposition}; filename="{name}"')]
    if cid:
        headers.append(("Content-ID", f"<{cid}>"))
    return Part(f'{content_type}; name="{name}"', data, "base64", headers)


def multipart(subtype, *parts, preamble="", parameters=""):
    """A container; its boundary follows from its content."""
    written = [header_block(part.lines()) + b"\n" + part.encoded() for part in parts]
    boundary = "----=_Part_" + hashlib.sha256(b"".join(written)).hexdigest()[:24]
    mark = b"--" + boundary.encode()
    body = preamble.encode() + b"".join(
        mark + b"\n" + piece + (b"" if piece.endswith(b"\n") else b"\n") for piece in written
    )
    body += mark + b"--\n"
    encoding = "8bit" if any(byte > 127 for byte in body) else "7bit"
    return Part(f'multipart/{subtype}; boundary="{boundary}"{parameters}', body, encoding)


def message(data):
    """A whole mail as a part of another one."""
    return Part("message/rfc822", data, "8bit" if any(byte > 127 for byte in data) else "7bit")


def alternative(plain, marked_up, charset="utf-8"):
    return multipart("alternative", text(plain, charset), html(marked_up, charset))


def header_block(headers):
    return "".join(f"{name}: {value}\n" for name, value in headers).encode("utf-8")


class Sender:
    """Who sends a sample from where: makes the header fields that the content does not decide."""

    def __init__(self, name):
        self.random = random.Random(f"criba sample {name}")
        days, seconds = self.random.randrange(700), self.random.randrange(86400)
        self.moment = datetime(2024, 1, 8, tzinfo=timezone.utc) + timedelta(days=days, seconds=seconds)

    def address(self):
        net = self.random.choice(["192.0.2", "198.51.100", "203.0.113"])
        return f"{net}.{self.random.randrange(2, 254)}"

    def token(self, length=12, letters="0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"):
        return "".join(self.random.choice(letters) for _ in range(length))

    def date(self, seconds=0, zone="+0000"):
        return rfc_date(self.moment + timedelta(seconds=seconds), zone)

    def received(self, helo, name, address, rcpt, tls=True, seconds=3):
        by = f"by mx.example.net (Postfix) with {'ESMTPS' if tls else 'SMTP'} id {self.token(10)}"
        cipher = "\n\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))" if tls else ""
        return f"from {helo} ({name} [{address}]){cipher}\n\t{by}\n\tfor <{rcpt}>; {self.date(seconds)}"


def proper(name, sender, rcpt, subject, root, host="mail.example.org", agent=None, extra=(), crlf=False):
    """A mail as an honest program writes it. `sender` is a (display name, address) pair."""
    made = Sender(name)
    display, address = sender
    domain = address.split("@")[1]
    inner = (
        f"from [10.0.{made.random.randrange(256)}.{made.random.randrange(2, 254)}] "
        f"(workstation.{domain} [{made.address()}])\n\tby {host} (Postfix) with ESMTPSA id {made.token(10)};"
        f"\n\t{made.date(1)}"
    )
    headers = [
        ("Return-Path", f"<{address}>"),
        ("Received", made.received(host, host, made.address(), rcpt[1])),
        ("Received", inner),
        ("Date", made.date()),
        ("From", f"{quoted(display)} <{address}>"),
        ("To", f"{quoted(rcpt[0])} <{rcpt[1]}>"),
        ("Subject", word(subject)),
        ("Message-ID", f"<{made.token(20).lower()}@{domain}>"),
    ]
    if agent:
        headers.append(("User-Agent", agent))
    headers += list(extra) + [("MIME-Version", "1.0")] + root.lines()
    return finish(headers, root, crlf)


def spam(name, sender, subject, root, rcpt="ana@example.net", reply_to=None, to=None, extra=(), crlf=False,
         charset="utf-8", mailer=None, message_id=True, seconds_wrong=0):
    """A mail as a bulk sender writes it: straight from an infected or rented machine, no TLS, with the
    slips that such programs make. `seconds_wrong` puts the Date off."""
    made = Sender(name)
    display, address = sender
    ip = made.address()
    dashed = ip.replace(".", "-")
    helo, seen = made.random.choice(
        [
            (f"[{ip}]", "unknown"),
            (f"dsl-{dashed}.pool.example", f"dsl-{dashed}.pool.example"),
            ("localhost", f"{dashed}.dynamic.example"),
            (f"vps{made.random.randrange(100, 999)}.hosting.example", "unknown"),
        ]
    )
    headers = [
        ("Return-Path", f"<{address}>"),
        ("Received", made.received(helo, seen, ip, rcpt, tls=False, seconds=2)),
        ("From", f"{quoted(display, charset)} <{address}>"),
        ("To", to or rcpt),
        ("Subject", word(subject, charset)),
        ("Date", made.date(seconds_wrong, made.random.choice(["+0000", "-0500", "+0300"]))),
    ]
    if reply_to:
        headers.append(("Reply-To", reply_to))
    if message_id:
        headers.append(("Message-ID", f"<{made.token(8)}.{made.token(8)}@{made.token(6).lower()}>"))
    if mailer:
        headers.append(("X-Mailer", mailer))
    headers += list(extra) + [("MIME-Version", "1.0")] + root.lines()
    return finish(headers, root, crlf)


def quoted(display, charset="utf-8"):
    coded = word(display, charset)
    return coded if coded != display else f'"{display}"'


def finish(headers, root, crlf=False):
    data = header_block(headers) + b"\n" + root.encoded()
    return data.replace(b"\n", b"\r\n") if crlf else data
