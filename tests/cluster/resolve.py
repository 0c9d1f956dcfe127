"""resolve.py SERVER NAME: prints the address that this DNS server gives a name. The machine's own resolver has no part in it."""

import socket
import struct
import sys

server, name = sys.argv[1:]
labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
question = struct.pack(">6H", 1, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">2H", 1, 1)
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
    connection.settimeout(2)
    connection.sendto(question, (server, 53))
    answer = connection.recv(512)
answers = struct.unpack(">6H", answer[:12])[3]
if answers == 0:
    sys.exit(f"{server} knows no {name}")
print(socket.inet_ntoa(answer[-4:]))
