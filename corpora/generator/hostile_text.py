"""Mails whose words, headers and HTML are made to be slow: name -> bytes of the mail."""

MB = 1 << 20


def mail(body, *headers, kind="text/plain"):
    """A mail of one part; its further headers, as they are, take the place of those with the same name."""
    usual = ["From: Someone <someone@example.com>", "To: you@example.net", "Subject: hello", "MIME-Version: 1.0"]
    usual.append(f"Content-Type: {kind}; charset=utf-8")
    given = {header.partition(":")[0] for header in headers}
    kept = [header for header in usual if header.partition(":")[0] not in given]
    return "\n".join(kept + list(headers)).encode() + b"\n\n" + body.encode()


def html(body, *headers):
    return mail(body, *headers, kind="text/html")


def filled(piece, size=MB):
    return piece * (size // len(piece))


def words(rng, count, letters="abcdefghijklmnopqrstuvwxyz"):
    return ["".join(rng.choices(letters, k=rng.randint(2, 9))) for _ in range(count)]


def patterns(rng):
    """Almost what rules look for, over and over: each start has to be followed up."""
    yield "one-letter", mail(filled("a" * 76 + "\n") + "!")
    yield "one-letter-one-line", mail(filled("a", 4 * MB) + "!")
    yield "one-paragraph", mail(filled(" ".join(words(rng, 2000)), 4 * MB))
    yield "paragraphs", mail(filled("a\n\n"))
    yield "obfuscated", mail(filled("v.i.a.g.r. c-i-a-l-i v_1_@_g_r_ "))
    yield "money", mail(filled("$ 1,000,000.00 million dollars US$ 5 000 000 "))
    yield "forms", mail(filled("Name: Address: Phone: Age: Occupation: Country: "))
    yield "starts", mail(filled("click here to dear friend this is not spam urgent winner your account "))
    yield "capitals", mail(filled("FREE MONEY CLICK NOW " * 4 + "\n"))
    yield "blanks", mail(filled(" " * 200 + "\t" * 200 + "x"))
    yield "mixed-scripts", mail(filled("\u0430a\u0435e\u043eo\u200b\u00ad\u202e\u0301" * 8 + " "))


def links(rng):
    """Links without number."""
    hosts = [f"{word}{number}.example.com" for number, word in enumerate(words(rng, 30_000))]
    yield "links", mail("\n".join(f"http://{host}/{host}" for host in hosts))
    yield "links-html", html("".join(f'<a href="http://{host}/">x</a>' for host in hosts))
    yield "links-almost", mail(filled("http://http://www.www.a@b@c..//"))
    yield "addresses-almost", mail(filled("a.b.c@d.e.f@g-h.i@j "))
    yield "link-long", mail("http://example.com/" + filled("%41/../?a=http://"))
    yield "dots", mail(filled("a.b.c.d.e.f.g.h.i.j.k.l."))


def headers(rng):
    """Header sections of any size."""
    yield "header-huge", mail("hello\n", "X-Huge: " + filled("a b=c; "))
    yield "header-folded", mail("hello\n", "X-Folded: " + filled("a\n "))
    yield "headers-many", mail("hello\n", *(f"X-{number}: {number}" for number in range(100_000)))
    yield "headers-same", mail("hello\n", *["X-Same: x"] * 100_000)
    yield "subject-huge", mail("hello\n", "Subject: " + filled("=?utf-8?B?aGVsbG8=?= "))
    yield "subject-broken", mail("hello\n", "Subject: " + filled("=?=?utf-8?Q?=?="))
    yield "recipients", mail("hello\n", "Cc: " + ", ".join(f"{word} <{word}@example.com>" for word in words(rng, 50_000)))
    yield "address-comments", mail("hello\n", "Cc: " + filled("(") + filled("\\\""))
    yield "content-type", mail("hello\n", "Content-Type: text/plain; " + filled("a*0*=utf-8''%41; "))
    yield "message-ids", mail("hello\n", "References: " + filled("<a.b.c@example.com> "))


def received(rng):
    """Received lines that look like every format for as long as they can."""
    starts = ["from ", "from x (", "from x by ", "from x (HELO ", "from x ([192.0.2.1] helo=", "(qmail 1 invoked by uid "]
    for number, start in enumerate(starts, 1):
        lines = ["Received: " + start + filled(start, 4000) + rng.choice(["(", "[", ";"]) for _ in range(250)]
        yield f"received-{number}", mail("hello\n", *lines)
    by = "from a.example (b.example [192.0.2.1]) by c.example with ESMTP id {0}; Thu, 1 Jan 2026 00:00:00 +0000"
    yield "received-many", mail("hello\n", *("Received: " + by.format(number) for number in range(20_000)))
    yield "received-long", mail("hello\n", "Received: " + filled("from x (y [192.0.2.1]) by z with "))


def markup(rng):
    """HTML that never ends."""
    yield "html-nested", html("<div>" * 100_000 + "x" + "</div>" * 100_000)
    yield "html-nested-kinds", html("<b><i><a href=x><td><font color=red>" * 20_000)
    yield "html-open", html(filled("<"))
    yield "html-comments", html(filled("<!--"))
    yield "html-declarations", html(filled("<!-- -- <![if <?"))
    yield "html-quotes", html("<a " + filled("b=\"'"))
    yield "html-attributes", html("<p " + " ".join(f"{word}{n}=1" for n, word in enumerate(words(rng, 100_000))) + ">x")
    yield "html-entities", html(filled("&#1114111;&amp&lt&notit;&"))
    yield "html-closing", html("<p>" * 1000 + "</b></i></td>" * 50_000)
    yield "html-styles", html(filled('<p style="color:red;;font:1px;a:b:c(;background:rgb(1,2,3)">x'))
    yield "html-style-long", html('<p style="' + filled("color:#fff;") + '">x')
    yield "html-tables", html("<table><tr><td>" * 20_000 + "<img src=cid:a>")
    yield "html-pictures", html("<table>" + "<tr><td><img src=cid:a><td><img src=cid:b>" * 20_000)
    yield "html-data", html("<img src=data:image/png;base64,iVBORw0KGgo=>" * 20_000)
    yield "html-cells", html("<table>" + ("<tr>" + "<td bgcolor=#000 width=3>" * 150) * 150)
    yield "html-forms", html("<form action=http://example.com><input type=password><script>" * 10_000)
    yield "blocks", mail(filled("\u2588\u2580\u2584 " * 30 + "\n"))
