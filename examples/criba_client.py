#!/usr/bin/env python3
"""Has mail judged by a criba engine and prints one verdict (JSON) a line.

Usage: criba_client.py ADDRESS FILE...      ADDRESS is unix:/path or host:port, FILE may be -
"""
import json
import socket
import struct
import sys

SCAN, VERSION = 1, 1
STATUS = ["complete", "partial", "shed", "unavailable", "bad request", "too large", "not allowed", "internal"]


class Client:
    def __init__(self, address, timeout=60):
        if address.startswith("unix:"):
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(timeout)
            self.socket.connect(address[len("unix:"):])
        else:
            host, _, port = address.rpartition(":")
            self.socket = socket.create_connection((host, int(port)), timeout)
        self.last_id = 0

    def scan(self, message, budget_ms=0, **metadata):
        """Returns (status, verdict); metadata is profile, queue_id, client_ip, helo, mail_from, rcpt_to ..."""
        self.last_id += 1
        about = json.dumps(metadata).encode() if metadata else b""
        head = struct.pack(">BBHIII", VERSION, SCAN, 0, self.last_id, budget_ms, len(about))
        body = head + about + message
        self.socket.sendall(struct.pack(">I", len(body)) + body)
        length, version, _kind, status, answered = struct.unpack(">IBBHI", self.read(12))
        if version != VERSION or answered not in (self.last_id, 0):
            raise ConnectionError("not the reply that was asked for")
        return status, json.loads(self.read(length - 8))

    def read(self, size):
        data = bytearray()
        while len(data) < size:
            piece = self.socket.recv(size - len(data))
            if not piece:
                raise ConnectionError("the engine closed the connection")
            data += piece
        return bytes(data)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    client, failed = Client(sys.argv[1]), False
    for name in sys.argv[2:]:
        with sys.stdin.buffer if name == "-" else open(name, "rb") as file:
            status, answer = client.scan(file.read())
        failed |= status > 2
        print(json.dumps({"file": name, "status": STATUS[status], **answer}))
    sys.exit(69 if failed else 0)
