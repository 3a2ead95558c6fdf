"""A serial line whose other end is a TCP connection: prints its path; dials when the line is first written to, and again when it was lost."""

import os
import pty
import select
import socket
import sys
import tty

host, port = sys.argv[1], int(sys.argv[2])
ours, theirs = pty.openpty()
tty.setraw(theirs)
print(os.ttyname(theirs), flush=True)
link = None
while True:
    readable, _, _ = select.select([fd for fd in (ours, link) if fd is not None], [], [])
    if link in readable:
        try:
            received = link.recv(4096)
        except OSError:
            received = b""
        if received:
            os.write(ours, received)
        else:
            link.close()
            link = None
            continue
    if ours in readable:
        said = os.read(ours, 4096)
        try:
            link = link or socket.create_connection((host, port), timeout=3)
            link.sendall(said)
        except OSError:
            link = None
