"""Ham from companies and machines: receipts, newsletters, invoices, invitations, reports."""

from . import pdf
from .mail import Part, Sample, alternative, attachment, html, message, multipart, proper, text
from .pictures import encode, logo, scan

ANA = ("Ana Ruiz", "ana@example.net")
INVOICE = ["# INVOICE 2024-0117", "Example Web Hosting Ltd, 1 Station Road", "Customer: Ana Ruiz, customer number 40213", "Virtual server, January to March",
           "Net amount 36.00", "VAT 20% 7.20", "Total 43.20", "Payable within 30 days of receipt.", "Thank you for your business."]
FACTURA = ["# FACTURA A-2024/118", "Talleres Gráficos del Norte, S.L.", "Cliente: Librería Ruiz", "500 folletos a dos colores", "Base imponible 210,00 euros",
           "IVA 21% 44,10 euros", "Total 254,10 euros", "Forma de pago: transferencia a 30 días"]
CONTRACT = ["Rental agreement", "between J. Novak, landlord,", "and Marta Vila, tenant.", "The flat on the second floor is let", "from the first of March.",
            "The monthly rent is due on the third", "working day of each month.", "Both parties have received a copy."]


def shops():
    yield Sample(
        "receipt-html", "receipt", "en", "multipart/alternative with a table",
        proper("receipt-html", ("Corner Bookshop", "orders@bookshop.example.com"), ANA, "Your order 70021 is confirmed", alternative(
            """
Thank you for your order, Ana.

Order 70021
The Leopard (paperback)   1 x 11.00
Postage                       2.50
Total                        13.50

We will write again when the parcel is on its way. Questions? Answer this mail or see
https://bookshop.example.com/orders/70021
""",
            """
<!DOCTYPE html>
<html lang="en"><head><title>Order 70021</title><style>td { padding: 4px 12px }</style></head><body>
<p>Thank you for your order, Ana.</p>
<table><tr><th>Order 70021</th><th></th></tr><tr><td>The Leopard (paperback)</td><td>1 x 11.00</td></tr>
<tr><td>Postage</td><td>2.50</td></tr><tr><td><b>Total</b></td><td><b>13.50</b></td></tr></table>
<p>We will write again when the parcel is on its way. Questions? Answer this mail or see
<a href="https://bookshop.example.com/orders/70021">your order</a>.</p><p>The Corner Bookshop, 12 Mill Lane</p></body></html>
"""), host="mail.bookshop.example.com"))
    yield Sample(
        "shipped", "receipt", "en", "a true notice about a parcel",
        proper("shipped", ("Corner Bookshop", "orders@bookshop.example.com"), ANA, "Your parcel is on its way", text(
            """
Dear Ana,

we handed order 70021 to the post today. It should reach you on Thursday. You can follow it here:
https://post.example.com/track/RR123456785XX

The Corner Bookshop
"""), host="mail.bookshop.example.com"))
    yield Sample(
        "billete-tren", "receipt", "es", "Spanish receipt, HTML",
        proper("billete-tren", ("Ferrocarriles del Sur", "billetes@trenes.example.com"), ANA, "Su billete Sevilla - Cádiz", alternative(
            """
Gracias por su compra. Billete Sevilla - Cádiz, sábado 14, salida 9:05, coche 3, plaza 12B. Importe: 16,90 euros.
Presente este billete o su localizador X7T2QP en el control de acceso.
""",
            """
<html lang="es"><body><p>Gracias por su compra, Ana.</p><table><tr><td>Trayecto</td><td>Sevilla - Cádiz</td></tr>
<tr><td>Salida</td><td>sábado 14, 9:05</td></tr><tr><td>Asiento</td><td>coche 3, plaza 12B</td></tr>
<tr><td>Importe</td><td>16,90 euros</td></tr></table><p>Presente este billete o su localizador <b>X7T2QP</b> en el control
de acceso. <a href="https://trenes.example.com/billetes/X7T2QP">Ver el billete</a></p></body></html>
"""), host="mta1.trenes.example.com"))
    yield Sample(
        "prescription-ready", "notice", "en", "a pharmacy that is one",
        proper("prescription-ready", ("Mill Lane Pharmacy", "hello@pharmacy.example.org"), ANA, "Your repeat prescription is ready", text(
            """
Dear Ms Ruiz,

your repeat prescription is ready to collect at Mill Lane Pharmacy. We are open Monday to Friday from 9 to 18. Please bring an
identity card. If you have questions about your medicine, ask the pharmacist or call 555-0110.
""")))
    yield Sample(
        "password-reset", "notice", "en", "asked for by the reader; the words of phishing",
        proper("password-reset", ("Code Forge", "noreply@forge.example.org"), ANA, "Reset your password", text(
            """
Hello ana,

somebody, hopefully you, asked to reset the password of your account at forge.example.org. To choose a new one, open this page
within the next hour:

https://forge.example.org/password/reset/8f3a9c77d1

If it was not you, you can ignore this mail; your password stays as it is.
"""), host="smtp.forge.example.org"))
    yield Sample(
        "extracto-banco", "notice", "es", "a bank that asks for nothing",
        proper("extracto-banco", ("Caja Rural Ejemplo", "avisos@cajarural.example.com"), ANA, "Su extracto de enero ya está disponible", text(
            """
Estimada señora Ruiz:

El extracto de su cuenta correspondiente al mes de enero ya está disponible en su buzón de la banca en línea. Le recordamos que
nunca le pediremos sus claves por correo electrónico.

Puede darse de baja de estos avisos en su oficina.

Caja Rural Ejemplo
""")))


def newsletters():
    unsubscribe = [
        ("List-Unsubscribe", "<https://news.example.org/u/77a1>, <mailto:unsubscribe@news.example.org>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ("List-Id", "Garden letter <garden.news.example.org>"),
    ]
    yield Sample(
        "newsletter-html", "newsletter", "en", "HTML with many links, unsubscribe",
        proper("newsletter-html", ("The Garden Letter", "letter@news.example.org"), ANA, "What to sow in March", alternative(
            """
The Garden Letter, March

Sow now: peas, broad beans, spinach. Under glass: tomatoes and peppers.
Read on: https://news.example.org/garden/march

You receive this letter because you subscribed at our shop. Unsubscribe: https://news.example.org/u/77a1
""",
            """
<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>The Garden Letter</title>
<style>body { font-family: sans-serif } h2 { color: #2a6a2a }</style></head><body>
<h1>The Garden Letter</h1><h2>What to sow in March</h2><p>Peas, broad beans and spinach can go out now. Tomatoes and peppers
want to start <em>under glass</em>: a bright window will do. <a href="https://news.example.org/garden/march">Read on</a></p>
<h2>From our readers</h2><p>Hans keeps slugs away with wood ash; Inés swears by copper tape.
<a href="https://news.example.org/garden/slugs">All answers</a></p>
<p style="font-size:12px;color:#666">You receive this letter because you subscribed at our shop.
<a href="https://news.example.org/u/77a1">Unsubscribe</a> - <a href="https://news.example.org/privacy">Privacy</a> - 3 Green
Street</p></body></html>
"""), host="mta.news.example.org", extra=unsubscribe))
    yield Sample(
        "boletin-biblioteca", "newsletter", "es", "Spanish newsletter, HTML",
        proper("boletin-biblioteca", ("Biblioteca Municipal", "boletin@biblioteca.example.org"), ANA, "Actividades de febrero en la biblioteca", alternative(
            """
Actividades de febrero: club de lectura (jueves, 18:00), taller de encuadernación (sábado, 11:00) y cuentacuentos para niños.
Programa completo: https://biblioteca.example.org/agenda
Para dejar de recibir este boletín: https://biblioteca.example.org/baja
""",
            """
<html lang="es"><body><h1>Actividades de febrero</h1><ul><li>Club de lectura: jueves, 18:00</li><li>Taller de encuadernación:
sábado, 11:00</li><li>Cuentacuentos para niños: domingo, 12:00</li></ul>
<p><a href="https://biblioteca.example.org/agenda">Programa completo</a></p>
<p><small>Recibe este boletín porque es socia de la biblioteca. <a href="https://biblioteca.example.org/baja">Darse de
baja</a></small></p></body></html>
"""), host="mail.biblioteca.example.org", extra=[("List-Unsubscribe", "<https://biblioteca.example.org/baja>")]))
    yield Sample(
        "newsletter-markets", "newsletter", "en", "speaks of shares and Bitcoin, soberly",
        proper("newsletter-markets", ("Morning Brief", "brief@news.example.org"), ANA, "Markets: rates, copper and a quiet week", text(
            """
Good morning,

Central bankers left rates where they were, and shares hardly moved. Copper rose for the third day on reports of lower stocks in
warehouses. Bitcoin ended the day where it began. Two companies publish results today; analysts expect little news.

The full text is at https://news.example.org/brief/today

To stop this letter go to https://news.example.org/u/brief
"""), host="mta.news.example.org", extra=unsubscribe[:2]))


def documents(random):
    yield Sample(
        "invoice-pdf", "invoice", "en", "a true PDF invoice",
        proper("invoice-pdf", ("Example Web Hosting", "accounts@hosting.example.com"), ANA, "Invoice 2024-0117", multipart(
            "mixed",
            text(
                """
Dear Ms Ruiz,

please find our invoice for the first quarter attached. It will be collected by direct debit on the 15th; you need not do anything.

Kind regards,
Example Web Hosting, customer number 40213
"""),
            attachment(pdf.text_document("Invoice 2024-0117", INVOICE), "application/pdf", "invoice-2024-0117.pdf"),
        ), host="mail.hosting.example.com"), "\n".join(line.removeprefix("# ") for line in INVOICE))
    yield Sample(
        "factura-pdf", "invoice", "es", "a true Spanish invoice as PDF",
        proper("factura-pdf", ("Talleres Gráficos del Norte", "administracion@talleres.example.com"), ANA, "Factura A-2024/118", multipart(
            "mixed",
            text(
                """
Buenos días, Ana:

Te adjunto la factura de los folletos que recogisteis el martes. Si falta algo, llámame y lo miramos.

Un saludo,
Begoña
Talleres Gráficos del Norte, S.L.
"""),
            attachment(pdf.text_document("Factura A-2024/118", FACTURA), "application/pdf", "factura_118.pdf"),
        )), "\n".join(line.removeprefix("# ") for line in FACTURA))
    sheet = scan(CONTRACT, random)
    document = pdf.Document()
    document.picture_page(encode(sheet, "JPEG", quality=55), *sheet.size, grey=True)
    yield Sample(
        "contract-scanned-pdf", "work", "en", "a scanned page that is no spam",
        proper("contract-scanned-pdf", ("Marta Vila", "marta@example.org"), ANA, "The contract, signed", multipart(
            "mixed",
            text("Hi Ana, here is the scan for your files. I keep the paper.\n\nMarta\n"),
            attachment(document.bytes("Scan"), "application/pdf", "scan0001.pdf"),
        )), "\n".join(CONTRACT))
    sign = logo("Orbis").quantize(16)
    yield Sample(
        "negocio-logo", "business", "es", "business mail whose signature holds a logo (GIF)",
        proper("negocio-logo", ("Javier Soto", "jsoto@orbis.example.com"), ANA, "Propuesta de colaboración y reunión del martes", multipart(
            "related",
            html(
                """
<html><body><p>Estimada Ana:</p><p>Gracias por la reunión de ayer. Le envío el resumen de lo acordado: entregaremos la primera
maqueta el día 20 y revisaremos juntos el presupuesto la semana siguiente. ¿Le viene bien el martes a las diez?</p>
<p>Quedo a su disposición para cualquier duda.</p><p>Un cordial saludo,</p><p>Javier Soto<br>Orbis Diseño, S.L.<br>
<img src="cid:logo" width="150" height="44" alt="Orbis"></p></body></html>
"""),
            attachment(encode(sign, "GIF"), "image/gif", "logo.gif", "inline", "logo"),
        ), host="mail.orbis.example.com", agent="Microsoft Outlook 16.0"), "Orbis")
    yield Sample(
        "business-logo-png", "business", "en", "HTML mail with a PNG logo and a legal footer",
        proper("business-logo-png", ("Helen Grant", "h.grant@northwind.example.com"), ANA, "Delivery dates for the second batch", multipart(
            "related",
            html(
                """
<html><body><p>Dear Ana,</p><p>the second batch of labels leaves our plant on Wednesday, so you will have it on Friday at the
latest. The test prints were fine; only the green is a little darker than in the first batch.</p><p>Best regards,<br>Helen
Grant</p><p><img src="cid:nw" alt="Northwind"></p><p style="font-size:11px">This message is meant for its addressee only. If
you received it by mistake, please delete it and tell us.</p></body></html>
"""),
            attachment(encode(logo("Northw", (90, 30, 30)), "PNG", optimize=True), "image/png", "nw.png", "inline", "nw"),
        ), host="mail.northwind.example.com"), "Northw")


def machines():
    invitation = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Example//Calendar//EN
METHOD:REQUEST
BEGIN:VEVENT
UID:20240312-budget@example.com
DTSTAMP:20240305T090000Z
DTSTART:20240312T100000Z
DTEND:20240312T110000Z
SUMMARY:Budget review
LOCATION:Room 4
ORGANIZER:mailto:ivan@example.com
ATTENDEE;RSVP=TRUE:mailto:ana@example.net
END:VEVENT
END:VCALENDAR
""".replace("\n", "\r\n")
    yield Sample(
        "calendar", "calendar", "en", "text/calendar beside text/plain",
        proper("calendar", ("Ivan Horvat", "ivan@example.com"), ANA, "Invitation: Budget review, Tue 12 Mar 10:00", multipart(
            "alternative",
            text("You are invited to: Budget review\nWhen: Tuesday 12 March, 10:00 - 11:00 (UTC)\nWhere: Room 4\n"),
            Part("text/calendar; charset=utf-8; method=REQUEST", invitation.encode(), "base64"),
        )))
    returned = proper("bounced", ("Ana Ruiz", "ana@example.net"), ("Bob", "bob@example.com"), "Lunch on Monday?", text("Bob, are you in town on Monday?\n\nAna\n"))
    status = b"""Reporting-MTA: dns; mx.example.com
Arrival-Date: Mon, 5 Feb 2024 09:12:44 +0000

Final-Recipient: rfc822; bob@example.com
Action: failed
Status: 5.1.1
Remote-MTA: dns; mail.example.com
Diagnostic-Code: smtp; 550 5.1.1 <bob@example.com>: Recipient address rejected: User unknown
"""
    yield Sample(
        "bounce", "bounce", "en", "multipart/report (DSN) with the mail that came back",
        proper("bounce", ("Mail Delivery System", "MAILER-DAEMON@mx.example.com"), ANA, "Undelivered Mail Returned to Sender", multipart(
            "report",
            text(
                """
This is the mail system at host mx.example.com.

I'm sorry to have to inform you that your message could not be delivered to one or more recipients. It's attached below.

<bob@example.com>: host mail.example.com said: 550 5.1.1 <bob@example.com>: Recipient address rejected: User unknown
"""),
            Part("message/delivery-status", status),
            message(returned),
            parameters="; report-type=delivery-status",
        ), host="mx.example.com", extra=[("Auto-Submitted", "auto-replied")]))
    yield Sample(
        "out-of-office", "notice", "es", "automatic answer",
        proper("out-of-office", ("Begoña Etxeberria", "begona@talleres.example.com"), ANA, "Respuesta automática: fuera de la oficina", text(
            "Estaré fuera de la oficina hasta el lunes 19. Para asuntos urgentes, escriba a administracion@talleres.example.com.\n\nBegoña\n"),
            extra=[("Auto-Submitted", "auto-replied"), ("Precedence", "bulk")]))
    yield Sample(
        "cron-report", "report", "en", "output of a program, long lines",
        proper("cron-report", ("Cron Daemon", "root@backup.example.org"), ANA, "Cron <root@backup> /usr/local/sbin/nightly", text(
            "\n".join(f"2024-02-0{day} 03:1{day}:07 backup[{4000 + day}]: volume home-{day}: 18{day}42 files, 3{day}.7 GiB, 0 errors, verified by checksum in {day}2{day} s; next full run on Sunday"
                      for day in range(1, 8))), host="backup.example.org", extra=[("Auto-Submitted", "auto-generated")]))


def samples(random):
    yield from shops()
    yield from newsletters()
    yield from documents(random)
    yield from machines()
