"""Writes small PDFs by hand: text pages, pages that are one picture, links."""

import zlib


def escape(line):
    return line.encode("cp1252").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")


class Document:
    def __init__(self):
        self.objects = [b"", b""]  # 1 the catalog, 2 the page tree
        self.pages = []

    def add(self, body):
        self.objects.append(body)
        return len(self.objects)

    def stream(self, head, data):
        return self.add(b"<< %s /Length %d >>\nstream\n%s\nendstream" % (head, len(data), data))

    def page(self, content, resources, width=595, height=842, links=()):
        """`links` are (uri, left, bottom, right, top)."""
        annotations = b" ".join(
            b"%d 0 R"
            % self.add(
                b"<< /Type /Annot /Subtype /Link /Border [0 0 0] /Rect [%d %d %d %d] /A << /S /URI /URI (%s) >> >>"
                % (*place, escape(uri))
            )
            for uri, *place in links
        )
        body = self.stream(b"/Filter /FlateDecode", zlib.compress(content, 9))
        self.pages.append(
            self.add(
                b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Resources << %s >> /Contents %d 0 R /Annots [%s] >>"
                % (width, height, resources, body, annotations)
            )
        )

    def text_page(self, lines, size=12, links=()):
        """Lines from the top; a line that begins with "# " is set large."""
        plain = self.add(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>")
        bold = self.add(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>")
        content, y, places = b"BT\n", 780, {}
        for line in lines:
            large = line.startswith("# ")
            line = line.removeprefix("# ")
            content += b"/%s %d Tf 1 0 0 1 60 %d Tm (%s) Tj\n" % (b"B" if large else b"F", size + 6 * large, y, escape(line))
            places[line] = y
            y -= size + 8 + 8 * large
        boxes = [(uri, 60, places[on] - 4, 400, places[on] + size + 2) for uri, on in links]
        self.page(content + b"ET", b"/Font << /F %d 0 R /B %d 0 R >>" % (plain, bold), links=boxes)

    def picture_page(self, jpeg, width, height, grey):
        """A page that is one JPEG, as scanners write them."""
        colours = b"/DeviceGray" if grey else b"/DeviceRGB"
        head = b"/Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace %s /BitsPerComponent 8 /Filter /DCTDecode"
        picture = self.stream(head % (width, height, colours), jpeg)
        self.page(b"q 595 0 0 842 0 0 cm /P Do Q", b"/XObject << /P %d 0 R >>" % picture)

    def bytes(self, title):
        self.objects[0] = b"<< /Type /Catalog /Pages 2 0 R >>"
        kids = b" ".join(b"%d 0 R" % page for page in self.pages)
        self.objects[1] = b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, len(self.pages))
        info = self.add(b"<< /Title (%s) /Producer (a program) >>" % escape(title))
        out, offsets = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"), []
        for number, body in enumerate(self.objects, 1):
            offsets.append(len(out))
            out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
        start = len(out)
        out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(offsets) + 1)
        out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
        out += b"trailer\n<< /Size %d /Root 1 0 R /Info %d 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(offsets) + 1, info, start)
        return bytes(out)


def text_document(title, lines, links=()):
    document = Document()
    document.text_page(lines, links=links)
    return document.bytes(title)
