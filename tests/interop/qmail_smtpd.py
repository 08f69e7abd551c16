"""What qmail-smtpd does with a mail: `$QMAILQUEUE` gets the message on descriptor 0, the envelope on 1, and its exit code
is the answer (qmail_close of qmail.c)."""

import os
import subprocess
import sys


def say(line):
    sys.stdout.write(line + "\r\n")
    sys.stdout.flush()


def queue(message, envelope):
    read, write = os.pipe()
    child = subprocess.Popen([os.environ["QMAILQUEUE"]], stdin=subprocess.PIPE, stdout=read)
    os.close(read)
    child.stdin.write(message)
    child.stdin.close()
    os.write(write, envelope)
    os.close(write)
    code = child.wait()
    if code == 0:
        return "250 ok"
    if code == 31:
        return "554 mail server permanently rejected message (#5.3.0)"
    if code == 71:
        return "451 mail server temporarily rejected message (#4.3.0)"
    return "554 qq permanent problem (#5.3.0)" if 11 <= code <= 40 else "451 qq temporary problem (#4.3.0)"


say("220 mx.example.org ESMTP")
envelope = b""
while line := sys.stdin.buffer.readline():
    line = line.rstrip(b"\r\n")
    verb, _, argument = line.partition(b":")
    address = argument.strip().strip(b"<>")
    if verb.upper() == b"MAIL FROM":
        envelope = b"F" + address + b"\0"
        say("250 ok")
    elif verb.upper() == b"RCPT TO":
        envelope += b"T" + address + b"\0"
        say("250 ok")
    elif verb.upper() == b"DATA":
        say("354 go ahead")
        message = b""
        while (line := sys.stdin.buffer.readline()) not in (b".\r\n", b""):
            message += (line[1:] if line.startswith(b".") else line).replace(b"\r\n", b"\n")
        say(queue(message, envelope + b"\0"))
    else:
        say("250 mx.example.org")
