"""Spam whose payload is its text: written for this project in the manner of the real thing."""

from .mail import Sample, alternative, attachment, html, multipart, spam, text


def advance_fee():
    yield Sample(
        "advance-fee-inheritance", "advance-fee", "en", "quoted-printable, iso-8859-1, Reply-To elsewhere",
        spam(
            "advance-fee-inheritance", ("Barrister Edward Cole", "e.cole.chambers@mail.example"),
            "URGENT: ATTN BENEFICIARY - YOUR INHERITANCE FUND OF US$18.5 MILLION",
            text(
                """
Dear Friend,

I know this message will come to you as a surprise. I am Barrister Edward Cole, personal attorney to the late
Engr. Michael Andrews, a national of your country who worked as an oil contractor and died in a plane crash with
his entire family. Before his death he deposited the sum of US$18,500,000.00 (Eighteen Million Five Hundred
Thousand United States Dollars) with a bank here, and the bank has mandated me to present the next of kin or have
the account confiscated.

Since I have been unsuccessful in locating any relative, I seek your consent to present you as the next of kin of
the deceased, so that the funds can be released to you. I propose 40% for you, 50% for me and 10% for expenses.
This transaction is 100% risk free and all legal documents will back it up. I ask for your utmost
confidentiality.

Kindly reply urgently to my private e-mail with your full name, home address, direct telephone number, occupation
and bank account details. You will be required to pay a small processing fee of £850 for the transfer
certificate.

God bless you,
Barrister Edward Cole (Esq.)
Principal Attorney
""", "iso-8859-1", "quoted-printable"),
            reply_to="barr.edwardcole@post.example", to="undisclosed-recipients:;", mailer="Microsoft Outlook Express 6.00.2600.0000",
        ),
    )
    yield Sample(
        "herencia-viuda", "advance-fee", "es", "Spanish, utf-8, quoted-printable",
        spam(
            "herencia-viuda", ("Sra. Carmen Villalba", "carmen.villalba@correo.example"),
            "Mi querido amigo en Dios, necesito su ayuda urgente",
            text(
                """
Estimado amigo en Cristo:

Soy la señora Carmen Villalba, viuda del difunto ingeniero Ramón Villalba. Padezco un cáncer terminal y los médicos
me dan pocos meses de vida. Mi difunto esposo depositó la suma de 9.500.000 dólares (nueve millones quinientos mil
dólares estadounidenses) en un banco y no tuvimos hijos que puedan heredar este fondo.

He decidido donar este dinero a una persona honesta que lo utilice para obras de caridad, huérfanos y viudas. Usted
recibirá el 30% de la suma total por su ayuda. Esta transacción es totalmente legal y está libre de riesgo, pero le
ruego absoluta confidencialidad.

Por favor, responda con urgencia a mi correo privado e indique su nombre completo, su dirección, su número de
teléfono y los datos de su cuenta bancaria para que mi abogado inicie la transferencia de los fondos. Sólo habrá que
pagar una pequeña tasa de tramitación.

Que Dios le bendiga,
Sra. Carmen Villalba
"""),
            reply_to="sra.villalba.fondos@buzon.example", to="undisclosed-recipients:;",
        ),
    )
    yield Sample(
        "lottery-award", "advance-fee", "en", "base64 text body, CRLF",
        spam(
            "lottery-award", ("EURO MILLIONS AWARD DEPT", "claims@award-office.test"),
            "CONGRATULATIONS!!! YOUR EMAIL ADDRESS HAS WON 950,000 EUROS",
            text(
                """
FROM: THE DESK OF THE VICE PRESIDENT
INTERNATIONAL PROMOTIONS / PRIZE AWARD DEPARTMENT
REF NUMBER: EML/77-0155/ES    BATCH NUMBER: 22-118-SP

FINAL WINNING NOTIFICATION

We are pleased to inform you that your e-mail address, attached to ticket number 545-222-889, drew the lucky
numbers 4-11-19-32-40 and consequently won the lottery in the 2nd category. You have therefore been approved for a
lump sum payout of 950,000.00 EUROS (Nine Hundred and Fifty Thousand Euros) in cash.

All participants were selected through a computer ballot system drawn from 25,000 names. For security reasons keep
this award strictly confidential until your claim has been processed and your money remitted to your account.

To file for your claim, contact our fiduciary agent Mr. Alvaro Ruiz immediately with your full names, address,
telephone, age, occupation and a copy of your passport. Winners must bear the cost of the transfer charges before
release of the winning funds. All prize money must be claimed within 10 days or it will be returned as unclaimed.

Congratulations once again!
Mrs. Linda Baker
Lottery Coordinator
""", encoding="base64"),
            reply_to="alvaro.ruiz.agent@mail.example", crlf=True,
        ),
    )
    yield Sample(
        "loteria-premio", "advance-fee", "es", "HTML only, Spanish",
        spam(
            "loteria-premio", ("Lotería Internacional", "premios@loteria-premios.test"),
            "¡¡¡FELICIDADES!!! Usted ha ganado un premio de 615.810 euros",
            html(
                """
<html><body bgcolor="#ffffcc"><center><font color="#cc0000" size="6"><b>¡FELICIDADES, HA GANADO!</b></font></center>
<p>Nos complace informarle de que su <b>dirección de correo electrónico</b> ha sido ganadora en el sorteo de nuestro
programa internacional de lotería, con el número de serie 45-1177 y un premio de <b>615.810,00 euros</b>.</p>
<p>Para reclamar su premio envíe a nuestro agente de pagos sus datos: nombre completo, dirección, teléfono, edad,
ocupación, copia del pasaporte y número de cuenta bancaria. Debe abonar los gastos de transferencia antes de
recibir el dinero. Por razones de seguridad mantenga esta notificación en secreto.</p>
<p>El premio no reclamado antes de diez días será devuelto al Ministerio de Hacienda.</p>
<p><a href="http://203.0.113.88/premio/reclamar.php?id=451177">RECLAMAR MI PREMIO AHORA</a></p>
</body></html>
"""),
        ),
    )


def pharmacy():
    yield Sample(
        "pharmacy-html", "pharmacy", "en", "HTML, obfuscated words, comments inside words, tiny text",
        spam(
            "pharmacy-html", ("Canadian Pharmacy", "orders@rx-pills-shop.test"),
            "V1agra $1.15, C1alis $1.99 - 80% off, no prescription",
            html(
                """
<html><body>
<table width="600" align="center"><tr><td bgcolor="#003399"><font color="#ffffff" size="5"><b>Canadian Online
Pharmacy</b></font></td></tr>
<tr><td><b>Save up to 80% on your medications! No prescription required!</b><br><br>
Vi<!-- kx -->ag<!-- 77 -->ra &nbsp; 100mg x 30 pills &nbsp; <b>$1.15</b> per pill<br>
C<!-- zz -->ialis &nbsp; 20mg x 30 pills &nbsp; <b>$1.99</b> per pill<br>
Levitra &nbsp; 20mg x 30 pills &nbsp; <b>$2.45</b> per pill<br>
Xanax, Valium, Ambien, Soma, Phentermine in stock<br><br>
Discreet packaging, worldwide shipping, 100% satisfaction or your money back. FDA approved generic drugs.
<br><br><a href="http://rx-pills-shop.test/?aff=8812&amp;e=ana@example.net"><font size="4"><b>CLICK HERE TO ORDER
NOW</b></font></a></td></tr></table>
<font size="1" color="#fefefe">meadow orchard gentle river history candle morning garden window summer paper</font>
</body></html>
"""),
            mailer="The Bat! (v2.00.6) Personal",
        ),
    )
    yield Sample(
        "male-enhancement", "pharmacy", "en", "plain text, windows-1252, no Message-ID",
        spam(
            "male-enhancement", ("Dr. Maxwell", "info@bigger-tonight.test"),
            "Add 3 inches in weeks – doctors approved",
            text(
                """
Gentlemen – are you unhappy with your size? Women say that size matters!

Our 100% natural male enhancement pills add up to 3 inches in length and width, guaranteed. Longer lasting
erections, better sex, stop premature ejaculation – clinically proven, no side effects. Doctors approved.

“My girlfriend couldn’t believe it” – John, 34

Buy 2 bottles, get 1 free – limited time offer. Order now:
http://bigger-tonight.test/order?c=enlarge

To be removed from this list: http://bigger-tonight.test/remove
""", "windows-1252", "8bit"),
            message_id=False, charset="windows-1252",
        ),
    )
    yield Sample(
        "dieta-milagro", "pharmacy", "es", "iso-8859-1 sent as 8bit",
        spam(
            "dieta-milagro", ("Adelgaza Ya", "ofertas@adelgaza-ya.test"),
            "Pierda 12 kilos en 30 días sin dieta ni ejercicio",
            text(
                """
¿Quiere perder peso sin dieta y sin ejercicio?

Con nuestras cápsulas 100% naturales usted puede perder hasta 12 kilos en 30 días. Quema la grasa mientras duerme.
Resultados garantizados o le devolvemos su dinero. Sin receta médica. También Viagra y Cialis genéricos al mejor
precio, envío discreto a todo el país.

Oferta por tiempo limitado: compre 2 frascos y reciba 1 GRATIS. ¡Haga clic aquí ahora!
http://adelgaza-ya.test/comprar?of=30

Si no desea recibir más correos, responda BAJA.
""", "iso-8859-1", "8bit"),
            charset="iso-8859-1",
        ),
    )


def money():
    yield Sample(
        "stock-tip", "stock", "en", "plain text with spaced letters",
        spam(
            "stock-tip", ("Wall Street Insider", "alerts@hot-stock-alert.test"),
            "HUGE news expected - this stock is about to EXPLODE!",
            text(
                """
INVESTOR ALERT!!! BREAKING NEWS!!!

Company: Northfield Minerals Inc.
Symbol: N F M X
Current Price: $0.18
5-Day Target Price: $1.25
Rating: STRONG BUY

This penny stock is ready to explode! Expected 600% profit. Massive PR campaign under way this week. Gold discovery
news will be released on Monday. Insiders are loading up. Don't miss out - get in before the rush!

WATCH N F M X TRADE ON MONDAY. ADD IT TO YOUR RADAR AND BUY NOW.

Disclaimer: information within this email contains forward looking statements within the meaning of Section 27A of
the Securities Act of 1933. We were paid 900,000 free trading shares to distribute this report. This is not a
solicitation to buy or sell.
"""),
            seconds_wrong=-400000,
        ),
    )
    yield Sample(
        "casino-bonus", "casino", "en", "multipart/alternative with a plain part that says something else",
        spam(
            "casino-bonus", ("Royal Vegas VIP", "bonus@royal-vip-casino.test"),
            "Your $888 FREE welcome bonus is waiting - no deposit needed",
            alternative(
                "Minutes of the meeting are attached, see you on Thursday.\n",
                """
<html><body style="background:#000;color:#fff"><h1 style="color:gold">ROYAL VIP ONLINE CASINO</h1>
<p>Claim your <b>$888 FREE welcome bonus</b> today! No deposit required. 200 free spins on our best slots.</p>
<p>Blackjack - Roulette - Poker - Slots - instant payouts - 98% payout rate - play from home and WIN BIG!</p>
<p><a href="http://royal-vip-casino.test/join?promo=888FREE" style="background:gold;font-size:24px">PLAY NOW</a></p>
<p style="font-size:1px;color:#000">This offer expires at midnight. Unsubscribe <a
href="http://198.51.100.14/u">here</a>.</p></body></html>
"""),
        ),
    )
    yield Sample(
        "casino-es", "casino", "es", "HTML, Spanish, base64",
        spam(
            "casino-es", ("Casino Estrella", "vip@casino-estrella.test"),
            "Bono de bienvenida de 500 € GRATIS, sin depósito",
            html(
                """
<html><body><h2>Casino en línea Estrella</h2>
<p>¡Reciba hoy su <b>bono de bienvenida de 500 € gratis</b>, sin depósito! 150 tiradas gratis en las mejores
tragaperras. Ruleta, blackjack y póquer en vivo desde su casa. Gane dinero fácil, pagos al instante.</p>
<p><a href="http://casino-estrella.test/registro?bono=500">JUGAR AHORA Y GANAR</a></p>
<p>Oferta por tiempo limitado. ¡No pierda esta oportunidad única!</p></body></html>
""", encoding="base64"),
        ),
    )
    yield Sample(
        "loan-offer", "loans", "en", "plain text",
        spam(
            "loan-offer", ("Global Finance Loans", "loans@global-finance-loans.test"),
            "DO YOU NEED AN URGENT LOAN? APPLY NOW AT 2%",
            text(
                """
Good day,

Do you need an urgent loan to pay off your bills, consolidate debt or start a business? Have you been turned down by
your bank because of bad credit? Your worries are over!

We offer personal loans, business loans and mortgage loans from $5,000 to $10,000,000 at a low interest rate of 2%.
No credit check, no collateral, no upfront payment. Approved within 24 hours. Guaranteed approval even with bad
credit!

Apply now by replying with: full name, country, phone number, monthly income, loan amount needed, duration.

Mr. Robert Hale
Loan Officer, Global Finance
Call 555-0142
"""),
            reply_to="globalfinance.loanoffice@mail.example", to="undisclosed-recipients:;",
        ),
    )
    yield Sample(
        "prestamo-rapido", "loans", "es", "Spanish, iso-8859-1, quoted-printable",
        spam(
            "prestamo-rapido", ("Préstamos Express", "credito@prestamo-express.test"),
            "Préstamo URGENTE sin aval ni nómina, aprobado en 10 minutos",
            text(
                """
¿Necesita dinero urgente? ¿Está en ASNEF y su banco le ha dicho que no?

Le concedemos préstamos personales desde 3.000 hasta 500.000 euros al 2% de interés anual, sin aval, sin nómina y sin
preguntas. Aprobación garantizada en 24 horas, aunque tenga deudas o esté en listas de morosos. Reunifique todas sus
deudas en una sola cuota.

Solicite su préstamo ahora: envíe su nombre completo, DNI, teléfono, ingresos mensuales y la cantidad que necesita, o
entre en http://prestamo-express.test/solicitar

Oferta por tiempo limitado. ¡No espere más!
""", "iso-8859-1", "quoted-printable"),
            reply_to="prestamo.express.oficina@correo.example", charset="iso-8859-1",
        ),
    )
    yield Sample(
        "crypto-doubling", "crypto", "en", "HTML with a wallet address",
        spam(
            "crypto-doubling", ("Bitcoin Giveaway", "event@btc-doubling-event.test"),
            "Bitcoin giveaway: send 0.1 BTC, receive 0.2 BTC back",
            html(
                """
<html><body><h2>OFFICIAL 5,000 BTC GIVEAWAY</h2>
<p>To celebrate, we double every Bitcoin you send! Send <b>0.1 to 10 BTC</b> to the address below and <b>receive
twice the amount back immediately</b>. This is guaranteed: invest now and earn 200% profit within 24 hours. Only
today, don't miss this opportunity!</p>
<p>Bitcoin wallet: <b>1BoatSLRHtKNngkdXEeobR76b53LETtpyT</b></p>
<p>Or join our automated crypto trading robot: members make $12,000 a day, no experience required.
<a href="http://btc-doubling-event.test/start?ref=ana">START EARNING NOW</a></p></body></html>
"""),
        ),
    )
    yield Sample(
        "inversion-cripto", "crypto", "es", "Spanish, multipart/alternative",
        spam(
            "inversion-cripto", ("Inversión Inteligente", "gana@bitcoin-millonario.test"),
            "Gane 9.000 € al mes con Bitcoin desde su casa",
            alternative(
                """
Gane dinero desde casa: hasta 9.000 euros al mes con nuestro robot de Bitcoin. Sin experiencia. Beneficio
garantizado del 300%. Invierta 250 euros hoy: http://bitcoin-millonario.test/alta
""",
                """
<html><body><h2>Hágase millonario con Bitcoin</h2><p><b>Beneficio garantizado del 300%</b> en una semana. Nuestro
robot de trading gana dinero por usted mientras duerme: hasta <b>9.000 € al mes desde casa</b>, sin experiencia.
Invierta sólo 250 € hoy. Plazas limitadas, ¡no pierda esta oportunidad!</p>
<p><a href="http://bitcoin-millonario.test/alta?id=77">EMPEZAR A GANAR DINERO AHORA</a></p></body></html>
"""),
        ),
    )
    yield Sample(
        "work-from-home", "money-mule", "en", "plain text, shouting",
        spam(
            "work-from-home", ("HR Department", "job@easy-income-jobs.test"),
            "Work from home and earn $4,500 a week - no experience!!!",
            text(
                """
HELLO!

WORK FROM HOME AND EARN UP TO $4,500 PER WEEK!!! Our international company is looking for payment processing agents in
your country. You receive transfers on your bank account, keep 10% commission and forward the rest by Western Union or
Bitcoin. NO EXPERIENCE REQUIRED, NO INVESTMENT, 2 HOURS A DAY. BE YOUR OWN BOSS AND ACHIEVE FINANCIAL FREEDOM!

Reply with your full name, phone number and bank name to start today. Positions are limited, ACT NOW!
"""),
            reply_to="hr.agents@post.example",
        ),
    )


def threats():
    yield Sample(
        "extortion-webcam", "extortion", "en", "plain text, wallet address, sender forged as the recipient",
        spam(
            "extortion-webcam", ("ana", "ana@example.net"), "I recorded you - your password is sunflower9",
            text(
                """
Hello,

I am a hacker who has access to your operating system. I know sunflower9 is one of your passwords. A few months ago my
malware (a trojan) infected your device through an adult website you visited, and I got full control of it.

I turned on your webcam and recorded a video of you satisfying yourself while you watched porn: on the left side what you
were watching, on the right side you. I also copied all your contacts and social networks.

If you want me to delete this video, transfer $1,450 in Bitcoin to my wallet:
1BoatSLRHtKNngkdXEeobR76b53LETtpyT

You have 48 hours. I have a notice that you have read this letter and the timer is running. If I do not receive the
payment I will send the video to all of your contacts, including relatives and coworkers. Do not reply to this email and do
not try to contact the police: this wallet cannot be traced. After payment I will destroy the recording, you have my word.
"""),
            mailer="Claws Mail 3.17.3",
        ),
    )
    yield Sample(
        "extorsion-camara", "extortion", "es", "Spanish, utf-8, base64",
        spam(
            "extorsion-camara", ("ana", "ana@example.net"), "He grabado un vídeo tuyo con tu cámara",
            text(
                """
Hola:

Soy un hacker y tengo acceso total a tu dispositivo. Hace unos meses te infecté con un troyano cuando visitaste una página
para adultos. He grabado un vídeo con tu cámara web mientras te masturbabas, y he copiado todos tus contactos.

Si no quieres que envíe el vídeo a tu familia, tus amigos y tus compañeros de trabajo, transfiere 950 € en Bitcoin a mi
monedero: 1BoatSLRHtKNngkdXEeobR76b53LETtpyT

Tienes 48 horas desde que abras este correo. No vayas a la policía y no respondas: no se puede rastrear. Cuando reciba el
pago borraré el vídeo para siempre. Cambia tus contraseñas la próxima vez.
""", encoding="base64"),
        ),
    )
    yield Sample(
        "malware-invoice", "malware", "en", "double extension in an attachment, zip; contents harmless",
        spam(
            "malware-invoice", ("Accounts Department", "billing@supplies-online.test"),
            "Overdue invoice INV-20391 - open the attached document",
            multipart(
                "mixed",
                text(
                    """
Dear customer,

Please find attached the copy of your overdue invoice INV-20391 for $2,947.10. If payment is not received within 24 hours
we will forward your case to our legal department.

Open the attached document and click "Enable Content" to view it. The archive password is 1234.

Best regards,
Accounts Department
"""),
                attachment(b"MZ: this is no program, it only has the name of one.\r\n", "application/octet-stream", "INV-20391.pdf.exe"),
            ),
            mailer="Microsoft Outlook 16.0",
        ),
    )
    yield Sample(
        "malware-multa", "malware", "es", "Spanish, macro document by name, link to a download by IP",
        spam(
            "malware-multa", ("Dirección General de Tráfico", "multas@dgt-notificaciones.test"),
            "Notificación de multa no pagada - último aviso",
            multipart(
                "mixed",
                html(
                    """
<html><body><p>Estimado ciudadano:</p><p>Tiene usted una <b>multa de tráfico no pagada</b> de 200 €. Descargue el
documento adjunto y habilite las macros para ver la notificación, o descárguela aquí:
<a href="http://203.0.113.201/descargas/multa_8831.zip">Ver notificación de multa</a></p>
<p>Si no paga en 48 horas, el importe se duplicará y se iniciará un procedimiento de embargo. Último aviso.</p></body></html>
"""),
                attachment(b"PK\x03\x04 harmless: only the name is that of a macro document", "application/vnd.ms-word.document.macroEnabled.12", "multa_8831.docm"),
            ),
        ),
    )
    yield Sample(
        "voicemail-html", "malware", "en", "HTML attachment that redirects",
        spam(
            "voicemail-html", ("Voice Service", "noreply@voice-message-center.test"),
            "New voicemail (00:47) from 555-0177",
            multipart(
                "mixed",
                text(
                    """
You have received a new voice message (00:47 seconds) from 555-0177.

Open the attached file to listen to your voicemail. You will be asked to sign in with your e-mail password. The message will
be deleted within 24 hours.
"""),
                attachment(
                    b'<html><head><meta http-equiv="refresh" content="0;url=http://203.0.113.77/owa/login.php?e=ana@example.net">'
                    b"</head><body>Loading your voice message, please wait...</body></html>\n",
                    "text/html", "voicemail_0047.html"),
            ),
        ),
    )


def charm():
    yield Sample(
        "dating-lonely", "dating", "en", "plain text",
        spam(
            "dating-lonely", ("Natasha", "natasha.kiss@lonely-ladies.test"), "Hi sweety, I saw your profile, lets meet",
            text(
                """
Hi dear! My name is Natasha, I am 26 years old, beautiful and lonely girl. I saw your profile and I think you are a nice man.
I am looking for a serious relationship and true love with a kind man. I want to meet you!

See my hot photos and chat with me live on webcam, it is free: http://lonely-ladies.test/natasha/?id=26

Hot single girls in your area want to meet you tonight. Don't keep me waiting, write me back. Kiss, Natasha xxx
"""),
            reply_to="natasha26.love@post.example",
        ),
    )
    yield Sample(
        "dating-ru", "dating", "ru", "koi8-r, quoted-printable, encoded subject",
        spam(
            "dating-ru", ("Наташа", "natasha@znakomstva-online.test"), "Привет! Познакомимся? Девушки твоего города ждут",
            text(
                """
Привет! Меня зовут Наташа, мне 24 года. Я одинокая красивая девушка и ищу серьёзные отношения.

Горячие девушки твоего города хотят познакомиться сегодня ночью! Бесплатный секс без обязательств, интимные фото и
видео. Регистрация бесплатно, переходи по ссылке прямо сейчас: http://znakomstva-online.test/go/24

Не упусти свой шанс! Только сегодня доступ бесплатно.
""", "koi8-r", "quoted-printable"),
            charset="koi8-r",
        ),
    )
    yield Sample(
        "replica-watches", "counterfeit", "en", "HTML with entities and a bare IP link",
        spam(
            "replica-watches", ("Luxury Outlet", "sale@luxury-replica-outlet.test"), "R0lex replica watches from $189 - 70% OFF today only",
            html(
                """
<html><body><h2>Exact&nbsp;replica&nbsp;w&#97;tches</h2><p>R&#111;lex, Omega, Cartier, Breitling, TAG Heuer replica watches
from <b>$189</b>! Identical to the original, nobody can tell the difference. Louis Vuitton and Gucci handbags at 70% off.
Free shipping worldwide, money back guarantee.</p>
<p><a href="http://203.0.113.140/watches/?c=rolex">CLICK HERE TO SHOP NOW</a> - limited stock, today only!</p></body></html>
"""),
        ),
    )
    yield Sample(
        "seo-offer", "marketing", "en", "plain text without links",
        spam(
            "seo-offer", ("Priya SEO Expert", "priya.seo@rank-first-agency.test"), "Get your website on the first page of search results",
            text(
                """
Hi,

I was on your website and noticed that it does not rank on the first page of the search engines. We are a leading SEO and web
design company. We guarantee first page ranking with our affordable SEO packages: link building, 500 backlinks, guest posts,
social media promotion, increase traffic to your website by 300%.

Would you be interested? Reply with your phone number and we will send you a free quote, price list and past work.

100 million fresh e-mail addresses for your bulk marketing campaigns are also available at $99.

Kind regards,
Priya
Business Development Manager
"""),
            reply_to="seo.first.page@mail.example",
        ),
    )


def gtube():
    yield Sample(
        "gtube", "gtube", "en", "the test string that must give reject",
        spam(
            "gtube", ("Test Sender", "test@example.com"), "Test spam mail (GTUBE)",
            text(
                """
This is the GTUBE, the Generic Test for Unsolicited Bulk Email.

XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X
"""),
        ),
    )


def samples():
    for family in (advance_fee, pharmacy, money, threats, charm, gtube):
        yield from family()
