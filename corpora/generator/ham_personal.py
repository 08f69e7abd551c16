"""Ham between people: letters, lists, photos, forwarded mail."""

import zlib

from .mail import Part, Sample, alternative, attachment, html, message, multipart, proper, text
from .pictures import chart, encode, party_gif, photo

ANA = ("Ana Ruiz", "ana@example.net")
TEAM = ["Team", "Builds per week"]


def letters():
    yield Sample(
        "personal-en", "personal", "en", "plain ASCII, 7bit",
        proper("personal-en", ("Tom Baker", "tom@example.org"), ANA, "Saturday?", text(
            """
Hi Ana,

are you still up for the hike on Saturday? The forecast looks fine until late afternoon, so I thought we could take the early
train (7:42) and be at the lake before noon. Marta is bringing sandwiches, I will take care of the coffee.

Let me know if you need a lift to the station.

Cheers,
Tom
"""), agent="Mozilla Thunderbird"))
    yield Sample(
        "personal-es", "personal", "es", "utf-8, quoted-printable",
        proper("personal-es", ("Lucía Gómez", "lucia@example.org"), ANA, "Fotos del cumpleaños de mamá", text(
            """
Hola, Ana:

Ya he subido las fotos del cumpleaños de mamá. La del perro con la tarta es buenísima. ¿Vienes el domingo a comer? Papá va a hacer
paella y dice que si no vienes se la come él solo.

Acuérdate de traer la cazuela grande, que la tuya es mejor que la nuestra.

Un beso,
Lucía
"""), agent="Evolution 3.46"))
    yield Sample(
        "personal-latin1", "personal", "es", "iso-8859-1 as 8bit, CRLF",
        proper("personal-latin1", ("Ramón Peña", "ramon@example.com"), ANA, "El sábado en el pueblo", text(
            """
Ana:

El sábado bajamos al pueblo a ver a los abuelos. Si quieres te recojo a las nueve en la estación. Mañana te llamo y
quedamos. El niño ya tiene dos dientes y no para de reír.

Un abrazo,
Ramón
""", "iso-8859-1", "8bit"), agent="Mutt/2.2.9", crlf=True))
    yield Sample(
        "letter-windows-1252", "personal", "en", "windows-1252 with typographic quotes and a euro sign",
        proper("letter-windows-1252", ("Fiona Marsh", "fiona@example.com"), ANA, "Book club – next month", text(
            """
Hello everyone,

next month we read “The Leopard” – the paperback is €11 at the shop on the corner. Please don’t spoil the ending for those who
haven’t finished yet… I’ll bring the cake this time.

Fiona
""", "windows-1252", "quoted-printable")))
    yield Sample(
        "letter-japanese", "personal", "ja", "iso-2022-jp, encoded header words",
        proper("letter-japanese", ("田中恵子", "keiko@example.jp.example"), ANA, "来月の京都旅行について", text(
            """
アナさん

お元気ですか。来月の京都旅行の件ですが、ホテルは駅の近くに予約しました。
紅葉がきれいな時期なので、とても楽しみにしています。
到着の時間が決まったら教えてください。

田中恵子
""", "iso-2022-jp", "7bit")))
    yield Sample(
        "letter-russian", "personal", "ru", "utf-8, base64, Cyrillic that is no spam",
        proper("letter-russian", ("Ольга Петрова", "olga@example.org"), ANA, "Перевод статьи готов", text(
            """
Добрый день, Анна!

Перевод второй главы готов, посылаю его завтра после проверки. В третьей главе осталось уточнить несколько терминов,
давайте обсудим их в четверг после семинара.

С уважением,
Ольга
""", encoding="base64")))
    yield Sample(
        "reply-quoting-spam", "personal", "en", "talks about spam and quotes some",
        proper("reply-quoting-spam", ("Tom Baker", "tom@example.org"), ANA, "Re: is this one real?", text(
            """
Hi Ana,

no, that is the oldest trick in the book, just delete it. Nobody has left you anything. You can tell from the reply address and
from the fee they want up front.

On Tuesday Ana wrote:
> I got a strange letter from a "barrister" who says
> that a relative left me 18 million dollars. He wants
> my bank account and a processing fee. Is this real?

Tom
"""), agent="Mozilla Thunderbird", extra=[("In-Reply-To", "<9d8f7a6b@example.net>"), ("References", "<9d8f7a6b@example.net>")]))
    yield Sample(
        "forwarded", "forwarded", "en", "message/rfc822 inside multipart/mixed",
        proper("forwarded", ("Marta Vila", "marta@example.org"), ANA, "Fwd: Keys for the flat", multipart(
            "mixed",
            text("Hi Ana, see below, the landlord answered at last. Can you be there on Friday?\n\nMarta\n"),
            message(proper("forwarded-inner", ("Mr. Novak", "novak@example.com"), ("Marta Vila", "marta@example.org"), "Keys for the flat", text(
                """
Dear Ms Vila,

you can pick up the keys on Friday between 10 and 12 at the office on the ground floor. Please bring the signed contract.

Regards,
J. Novak
"""))),
        ), agent="Apple Mail (2.3774)"))


def attached(random):
    yield Sample(
        "photo-jpeg", "photo", "en", "a JPEG photo without any text in it",
        proper("photo-jpeg", ("Tom Baker", "tom@example.org"), ANA, "View from the top", multipart(
            "mixed",
            text("Hi Ana, this is the view you missed on Saturday. Next time!\n\nTom\n"),
            attachment(encode(photo(random), "JPEG", quality=75), "image/jpeg", "IMG_2041.jpg"),
        ), agent="Mozilla Thunderbird"))
    yield Sample(
        "photo-webp", "photo", "es", "a WebP photo without text",
        proper("photo-webp", ("Lucía Gómez", "lucia@example.org"), ANA, "La playa ayer", multipart(
            "mixed",
            text("Mira qué bonita estaba la playa ayer por la tarde. ¡Qué pena que no vinieras!\n\nLucía\n"),
            attachment(encode(photo(random, (400, 300)), "WEBP", quality=70), "image/webp", "playa.webp"),
        )))
    yield Sample(
        "birthday-gif", "personal", "en", "a harmless animated GIF",
        proper("birthday-gif", ("Marta Vila", "marta@example.org"), ANA, "Happy birthday!", multipart(
            "related",
            html('<html><body><p>Happy birthday, Ana! See you tonight at eight.</p><img src="cid:party"></body></html>'),
            attachment(party_gif(random), "image/gif", "party.gif", "inline", "party"),
        )))
    yield Sample(
        "screenshot-png", "work", "en", "a PNG with text that is no spam",
        proper("screenshot-png", ("Ivan Horvat", "ivan@example.com"), ANA, "Build times after the cache change", multipart(
            "mixed",
            text(
                """
Ana,

the chart you asked for is attached: builds per week since the cache was switched on. The dip in week three is the holiday.

Ivan
"""),
            attachment(encode(chart(random, "Builds per week", ["week 1", "week 2", "week 3", "week 4", "week 5"]), "PNG", optimize=True), "image/png", "builds.png"),
        )), "Builds per week\nweek 1 week 2 week 3 week 4 week 5")
    notes = zlib.compress(b"Minutes of the meeting, kept short.\n" * 40, 9)
    yield Sample(
        "attachment-binary", "work", "en", "an attachment that nobody can look into, name in RFC 2231",
        proper("attachment-binary", ("Ivan Horvat", "ivan@example.com"), ANA, "Meeting notes", multipart(
            "mixed",
            text("The notes of today's meeting, compressed. Please send corrections by Thursday.\n\nIvan\n"),
            Part("application/octet-stream", notes, "base64",
                 [("Content-Disposition", "attachment;\n filename*0*=utf-8''notas%20de%20la;\n filename*1*=%20reuni%C3%B3n.bin")]),
        )))


def lists():
    listed = [
        ("List-Id", "Sieve developers <sieve-dev.lists.example.org>"),
        ("List-Unsubscribe", "<mailto:sieve-dev-request@lists.example.org?subject=unsubscribe>"),
        ("List-Post", "<mailto:sieve-dev@lists.example.org>"),
        ("Precedence", "list"),
        ("In-Reply-To", "<20240211.8812@example.com>"),
        ("References", "<20240210.1@example.org> <20240211.8812@example.com>"),
    ]
    yield Sample(
        "list-post", "mailing-list", "en", "list headers, a quoted patch, a signature",
        proper("list-post", ("Ivan Horvat", "ivan@example.com"), ("Sieve developers", "sieve-dev@lists.example.org"),
               "Re: [sieve-dev] [PATCH] parser: do not read past the end of a quoted string", text(
            """
On Sun, Feb 11, 2024 at 10:12:33AM +0100, Jo wrote:
> diff --git a/src/lexer.c b/src/lexer.c
> --- a/src/lexer.c
> +++ b/src/lexer.c
> @@ -88,7 +88,7 @@ static int lex_string(struct lexer *lex)
> -\twhile (*lex->p != '"') {
> +\twhile (lex->p < lex->end && *lex->p != '"') {

Looks good to me, but please add a test for the empty string, too: the old code got that wrong in a different way.
See https://lists.example.org/sieve-dev/2024/02/0012.html for the report.

Reviewed-by: Ivan Horvat <ivan@example.com>

-- 
sieve-dev mailing list
https://lists.example.org/listinfo/sieve-dev
"""), host="lists.example.org", agent="Mutt/2.2.9", extra=listed))
    digest = multipart(
        "digest",
        message(proper("digest-1", ("Jo Lind", "jo@example.com"), ("List", "sieve-dev@lists.example.org"), "release plan", text(
            "I would like to tag 2.4 at the end of the month. Any objections? Open bugs: two, both with patches.\n"))),
        message(proper("digest-2", ("Ivan Horvat", "ivan@example.com"), ("List", "sieve-dev@lists.example.org"), "Re: release plan", text(
            "None here. I will update the manual page until then.\n"))),
    )
    yield Sample(
        "list-digest", "mailing-list", "en", "multipart/digest",
        proper("list-digest", ("Sieve developers", "sieve-dev-request@lists.example.org"), ANA, "sieve-dev Digest, Vol 12, Issue 4",
               multipart("mixed", text("Today's topics: the release plan.\n"), digest), host="lists.example.org", extra=listed[:4]))
    patch = Part('text/x-diff; charset=us-ascii; name="0001-cache.patch"',
                 b"--- a/Makefile\n+++ b/Makefile\n@@ -1,3 +1,4 @@\n CC ?= cc\n+CFLAGS += -O2\n", "7bit",
                 [("Content-Disposition", 'attachment; filename="0001-cache.patch"')])
    yield Sample(
        "patch-attached", "work", "en", "text attachment that is no text/plain",
        proper("patch-attached", ("Jo Lind", "jo@example.com"), ANA, "[PATCH] build with optimisation by default", multipart(
            "mixed", text("The default build was not optimised at all, which made the benchmark look bad. Patch attached.\n\nJo\n"), patch),
            agent="git-send-email 2.39.2"))


def samples(random):
    yield from letters()
    yield from attached(random)
    yield from lists()
