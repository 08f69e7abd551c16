"""Phishing, fake invoices and parcels: spam that poses as somebody the reader knows."""

from . import pdf
from .mail import Sample, alternative, attachment, html, multipart, spam, text
from .pictures import encode, page, scan

CALL_BACK = [
    "# PAYMENT CONFIRMATION",
    "Invoice No: PC-558210    Date: today",
    "Antivirus Total Protection, 3 years renewal",
    "Amount charged to your account: $499.99",
    "Your subscription was renewed automatically.",
    "If you did not authorize this charge, call our",
    "billing department within 24 hours to cancel and",
    "get a refund: 1-800-555-0199 (toll free)",
]
PAY_NOW = [
    "# FACTURA PENDIENTE DE PAGO",
    "Número de factura: 2024-88123",
    "Importe total: 1.284,50 euros",
    "Fecha de vencimiento: hoy",
    "Estimado cliente: su factura sigue pendiente de pago.",
    "Para evitar la suspensión de su cuenta, pague ahora",
    "pulsando en el siguiente enlace:",
    "Pagar la factura ahora",
]
SCANNED = [
    "FINAL NOTICE BEFORE LEGAL ACTION",
    "Invoice number 774120",
    "Dear customer,",
    "our records show an unpaid balance of",
    "3,870.00 dollars on your account.",
    "Pay within 24 hours by Bitcoin or gift cards",
    "to avoid legal action and arrest.",
    "Call the collection department: 555 0123",
]
ACCOUNT = [
    "Your account has been suspended",
    "Dear customer,",
    "we detected unusual activity on your account.",
    "Verify your password within 24 hours or your",
    "account will be permanently closed.",
    "Click here to verify your account now",
]


def accounts():
    yield Sample(
        "phishing-bank", "phishing", "en", "link whose text shows another host than its target, form",
        spam(
            "phishing-bank", ("First National Bank", "security@first-national-bank.example"),
            "Security alert: your account has been suspended",
            html(
                """
<html><body><p>Dear valued customer,</p>
<p>We have detected <b>unusual sign-in activity</b> and your online banking account has been <b>temporarily suspended</b>. To
restore access you must verify your account information within 24 hours, or your account will be permanently closed.</p>
<p><a href="http://198.51.100.61/~bank/verify/login.php?session=a8812">https://www.first-national-bank.example/verify</a></p>
<form action="http://198.51.100.61/~bank/post.php" method="post">User ID <input name="u"> Password <input type="password"
name="p"> Card number <input name="c"> PIN <input type="password" name="pin"><input type="submit" value="Verify my account">
</form><p>Sincerely,<br>Security Department</p></body></html>
"""),
        ),
    )
    yield Sample(
        "phishing-banco", "phishing", "es", "Spanish, link to an IP address",
        spam(
            "phishing-banco", ("Banco Ejemplo", "seguridad@banco-ejemplo-clientes.test"),
            "Aviso de seguridad: su cuenta ha sido bloqueada",
            html(
                """
<html><body><p>Estimado cliente:</p><p>Hemos detectado un <b>acceso no autorizado</b> a su banca en línea y, por su seguridad,
<b>su cuenta ha sido bloqueada temporalmente</b>. Debe verificar sus datos en un plazo de 24 horas o su cuenta será cancelada
definitivamente.</p>
<p><a href="http://203.0.113.54/banco/verificar.php?id=ana">https://www.banco-ejemplo.example/verificar-cuenta</a></p>
<p>Introduzca su usuario, su contraseña, el número de su tarjeta y el código PIN para confirmar su identidad.</p>
<p>Atentamente,<br>Departamento de Seguridad</p></body></html>
"""),
        ),
    )
    yield Sample(
        "phishing-mailbox", "phishing", "en", "multipart/alternative, mailbox quota",
        spam(
            "phishing-mailbox", ("example.net Mail Administrator", "admin@webmail-upgrade-team.test"),
            "Your mailbox is almost full: 2 messages are pending",
            alternative(
                """
Dear ana@example.net,

Your mailbox has exceeded its storage limit and your password expires today. 2 incoming messages are pending. You must
re-validate your mailbox now or you will not be able to send or receive e-mail:

http://webmail-upgrade-team.test/validate?user=ana@example.net

IT Help Desk
""",
                """
<html><body><p>Dear <b>ana@example.net</b>,</p><p>Your mailbox has exceeded its storage limit and <b>your password expires
today</b>. 2 incoming messages are pending delivery. You must verify your account to keep the same password, or your mailbox will
be deactivated within 24 hours.</p><p><a href="http://webmail-upgrade-team.test/validate?user=ana@example.net"
style="background:#0067b8;color:#fff;padding:9px">KEEP MY CURRENT PASSWORD</a></p><p>IT Help Desk - Mail
Administrator</p></body></html>
"""),
        ),
    )
    yield Sample(
        "phishing-picture", "phishing", "en", "all text in a PNG that is a link",
        spam(
            "phishing-picture", ("Account Team", "noreply@account-review-team.test"), "Important notice about your account",
            multipart(
                "related",
                html('<html><body><a href="http://198.51.100.99/secure/verify.php"><img src="cid:notice" border="0"></a></body></html>'),
                attachment(
                    encode(page(ACCOUNT, (560, 250), size=20), "PNG"), "image/png", "notice.png", "inline", "notice"),
            ),
        ),
        truth="\n".join(ACCOUNT),
    )


def parcels():
    yield Sample(
        "parcel-fee", "parcel", "en", "HTML, link shortener look",
        spam(
            "parcel-fee", ("Express Delivery", "tracking@parcel-redelivery.test"),
            "Your package could not be delivered - action required",
            html(
                """
<html><body><p>Dear customer,</p><p>Your package <b>#EX-7731-0925</b> could not be delivered because the shipping fee of
<b>$1.99</b> was not paid. Confirm your address and pay the fee within 48 hours or the parcel will be returned to the sender.</p>
<p><a href="http://parcel-redelivery.test/t/7731?e=ana@example.net"><b>SCHEDULE MY DELIVERY</b></a></p><p>You will need your
credit card number to confirm.</p></body></html>
"""),
        ),
    )
    yield Sample(
        "paquete-aduanas", "parcel", "es", "Spanish, quoted-printable HTML",
        spam(
            "paquete-aduanas", ("Correos Entregas", "envios@correos-aduanas.test"),
            "Su paquete está retenido en la aduana: pague 2,99 €",
            html(
                """
<html><body><p>Estimado cliente:</p><p>Su paquete <b>ES-1182-7734</b> está <b>retenido en la aduana</b> porque no se han pagado los
gastos de envío de <b>2,99 €</b>. Confirme su dirección y el pago en las próximas 24 horas; de lo contrario, el paquete será
devuelto al remitente.</p><p><a href="http://correos-aduanas.test/pago.php?p=11827734"><b>PAGAR Y RECIBIR MI PAQUETE</b></a></p>
<p>Tenga a mano su tarjeta de crédito. Atentamente, Servicio de Entregas.</p></body></html>
"""),
        ),
    )
    yield Sample(
        "tax-refund", "phishing", "en", "plain text with a link by IP",
        spam(
            "tax-refund", ("Revenue Service", "refunds@tax-refund-office.test"), "You are eligible for a tax refund of $1,284.00",
            text(
                """
Dear taxpayer,

After the last annual calculation of your fiscal activity we have determined that you are eligible to receive a tax refund of
$1,284.00. Please submit the tax refund request within 24 hours and allow us 3-5 days to process it.

Click here to claim your refund: http://203.0.113.19/refund/form.php?id=1284
You will be asked to confirm your social security number, date of birth and credit card details.

Revenue Service
"""),
        ),
    )


def invoices(random):
    yield Sample(
        "invoice-callback-pdf", "fake-invoice", "en", "PDF with text, empty-looking body",
        spam(
            "invoice-callback-pdf", ("Billing Team", "orders.team8841@mail.example"), "Payment confirmation PC-558210",
            multipart(
                "mixed",
                text("Thank you for your order. Your invoice is attached.\n"),
                attachment(pdf.text_document("Invoice", CALL_BACK), "application/pdf", "PC-558210.pdf"),
            ),
        ),
        truth="\n".join(line.removeprefix("# ") for line in CALL_BACK),
    )
    yield Sample(
        "factura-pdf-enlace", "fake-invoice", "es", "PDF with text and a link annotation",
        spam(
            "factura-pdf-enlace", ("Administración", "facturas@facturas-pendientes.test"),
            "Factura pendiente de pago: último aviso",
            multipart(
                "mixed",
                text("Estimado cliente: le adjuntamos la factura pendiente de pago. Evite la suspensión de su cuenta.\n"),
                attachment(
                    pdf.text_document("Factura", PAY_NOW, [("http://203.0.113.31/pago/factura.php?n=88123", PAY_NOW[-1])]),
                    "application/pdf", "Factura_2024-88123.pdf"),
            ),
        ),
        truth="\n".join(line.removeprefix("# ") for line in PAY_NOW),
    )
    sheet = scan(SCANNED, random)
    document = pdf.Document()
    document.picture_page(encode(sheet, "JPEG", quality=60), *sheet.size, grey=True)
    yield Sample(
        "invoice-scanned-pdf", "fake-invoice", "en", "PDF whose page is a scanned picture",
        spam(
            "invoice-scanned-pdf", ("Collection Department", "notice@legal-collection.test"), "FINAL NOTICE - unpaid invoice 774120",
            multipart(
                "mixed",
                text("See the attached final notice.\n"),
                attachment(document.bytes("Notice"), "application/pdf", "final_notice.pdf"),
            ),
        ),
        truth="\n".join(SCANNED),
    )


def samples(random):
    yield from accounts()
    yield from parcels()
    yield from invoices(random)
