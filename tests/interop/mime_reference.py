"""What Python's email package makes of mails: paths on standard input, a JSON object a line on standard output.

leaves: content type, and the text or the bytes (hex) where they can be told; defects: names, from all nodes.
"""
import email
import json
import sys

OPENED = ("message/rfc822", "message/global")


def leaf(part):
    kind = part.get_content_type()
    found = {"kind": kind, "text": None, "hex": None}
    if part.is_multipart():  # message/delivery-status and the like: Python looks into them, criba does not
        return found
    content = part.get_payload(decode=True)
    if not kind.startswith("text/"):
        found["hex"] = content.hex()
        return found
    charset = part.get_content_charset("us-ascii")
    # As everywhere on the web, ISO-8859-1 means Windows-1252.
    charset = {"iso-8859-1": "cp1252", "latin-1": "cp1252"}.get(charset, charset)
    try:
        found["text"] = content.decode(charset)
    except (LookupError, UnicodeError):
        found["charset"] = charset
    return found


def look(part, leaves, defects):
    kind = part.get_content_type()
    if part.get_content_maintype() == "multipart" and part.is_multipart() or kind in OPENED and part.is_multipart():
        for child in part.get_payload():
            look(child, leaves, defects)
    else:
        leaves.append(leaf(part))
    defects.extend(type(defect).__name__ for defect in part.defects)


for path in sys.stdin.read().splitlines():
    with open(path, "rb") as file:
        message = email.message_from_binary_file(file)
    leaves, defects = [], []
    try:
        look(message, leaves, defects)
    except Exception as error:
        defects.append(repr(error))
    print(json.dumps({"file": path, "leaves": leaves, "defects": defects}))
