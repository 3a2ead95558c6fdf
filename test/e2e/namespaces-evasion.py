"""Evasions of a passive TCP reader, by scapy against the kernel of a Modbus server, after T. Ptacek and T. Newsham, "Insertion, Evasion, and
Denial of Service", 1998.

Usage: namespaces-evasion.py DEVICE OWN_MAC OWN_IP SERVER_MAC SERVER_IP ROUTER_MAC [NAME…], on a host without an IP address, whose own kernel
so answers nothing. Prints one JSON line for each evasion: its name, port, the times between which it went on, and the words it had written:
`plain` is what a reader may take for the command, `hidden` what it may miss.
namespaces-evasion.py --fill-in-checksums DEVICE has a host fill in checksums itself: the card of a namespace leaves them to one that is not there."""
import array
import fcntl
import json
import random
import select
import socket
import struct
import sys
import time

from scapy.all import IP, TCP, Dot1Q, Ether, IPOption_LSRR, Raw, fragment

if sys.argv[1] == "--fill-in-checksums":
    # ETHTOOL_STXCSUM, by SIOCETHTOOL. linux/ethtool.h, linux/sockios.h
    value = array.array("B", struct.pack("II", 0x17, 0))
    request = struct.pack("16sP", sys.argv[2].encode(), value.buffer_info()[0])
    fcntl.ioctl(socket.socket(socket.AF_INET, socket.SOCK_DGRAM), 0x8946, request)
    sys.exit()

DEVICE, OWN_MAC, OWN_IP, SERVER_MAC, SERVER_IP, ROUTER_MAC = sys.argv[1:7]
WANTED = sys.argv[7:]
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.ntohs(3))
wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
wire.bind((DEVICE, 0))
random.seed(7)
MASK = 0xFFFFFFFF


def write(*words, transaction=1):
    """FC 16 from register 0 on: its answer does not tell the words, so that it fits whichever of two was carried out."""
    count = len(words)
    head = struct.pack(">HHHBBHHB", transaction & 0xFFFF, 0, 7 + 2 * count, 1, 16, 0, count, 2 * count)
    return head + struct.pack(f">{count}H", *words)


ONE = len(write(0))


def read(transaction=1):
    """FC 03 of one register."""
    return struct.pack(">HHHBBHH", transaction & 0xFFFF, 0, 6, 1, 3, 0, 1)


def put(frame):
    wire.send(bytes(frame))


class Client:
    """One connection, whose every segment is made by hand."""

    def __init__(self, port, timestamps=False, isn=None):
        self.port = port
        self.isn = random.getrandbits(31) if isn is None else isn
        self.seq = (self.isn + 1) & MASK
        self.ack = 0
        self.acked = 0
        self.stamp = 1_000_000 if timestamps else None
        self.echo = 0
        self.told = b""
        self.flags_seen = ""

    def tcp(self, data=b"", flags="PA", seq=None, ack=None, stamp=None, **more):
        options = list(more.pop("options", []))
        if self.stamp is not None and stamp != "none":
            options.append(("Timestamp", (self.stamp if stamp is None else stamp, self.echo)))
        return TCP(sport=self.port, dport=502, flags=flags, seq=(self.seq if seq is None else seq) & MASK,
                   ack=(self.ack if ack is None else ack) & MASK, window=64000, options=options, **more) / Raw(data)

    def frame(self, tcp, to=None, vlans=(), **ip):
        ether = Ether(src=OWN_MAC, dst=SERVER_MAC if to is None else to)
        for vlan in vlans:
            ether = ether / Dot1Q(vlan=vlan)
        return ether / IP(**{"src": OWN_IP, "dst": SERVER_IP, "id": random.getrandbits(16), "flags": "DF", **ip}) / tcp

    def put(self, data=b"", to=None, vlans=(), ip=None, **tcp):
        """A segment that does not count as sent."""
        put(self.frame(self.tcp(data, **tcp), to, vlans, **(ip or {})))

    def say(self, data, **how):
        self.put(data, **how)
        self.seq = (self.seq + len(data)) & MASK

    def lost(self, data=b"", **tcp):
        """A segment that the mirror shows, and that a router between it and the server drops."""
        self.put(data, to=ROUTER_MAC, ip={"ttl": 1}, **tcp)

    def pump(self, ms=80):
        """Takes what the server says for so long, and acknowledges it."""
        end = time.monotonic() + ms / 1000
        while True:
            left = end - time.monotonic()
            if left <= 0 or not select.select([wire], [], [], left)[0]:
                return self
            self.take(wire.recv(65535))

    def take(self, raw):
        if raw[12:14] != b"\x08\x00" or raw[23] != 6:
            return
        frame = Ether(raw)
        tcp = frame[TCP]
        if frame[IP].src != SERVER_IP or tcp.sport != 502 or tcp.dport != self.port or frame.src == OWN_MAC:
            return
        self.flags_seen += f" {tcp.flags}"
        data = bytes(tcp.payload)[: frame[IP].len - 4 * frame[IP].ihl - 4 * tcp.dataofs]
        for name, value in tcp.options:
            if name == "Timestamp":
                self.echo = value[0]
        if tcp.flags.A:
            self.acked = tcp.ack
        if tcp.flags.S:
            self.ack = (tcp.seq + 1) & MASK
        elif data and tcp.seq == self.ack:
            self.told += data
            self.ack = (self.ack + len(data)) & MASK
            self.put(flags="A")
        if tcp.flags.F:
            self.ack = (self.ack + 1) & MASK

    def syn(self, data=b"", **tcp):
        self.put(data, flags="S", seq=self.isn, ack=0, **tcp)
        return self

    def open(self):
        self.syn().pump(30)
        self.put(flags="A")
        return self

    def reset(self):
        self.put(flags="R", seq=self.acked)


def spoof(client, flags, seq, ack, data=b""):
    """A frame in the server's name, from the client's own port."""
    tcp = TCP(sport=502, dport=client.port, flags=flags, seq=seq & MASK, ack=ack & MASK, window=64000) / Raw(data)
    put(Ether(src="02:00:00:00:0a:0a", dst=OWN_MAC) / IP(src=SERVER_IP, dst=OWN_IP, flags="DF") / tcp)


EVASIONS = []


def evasion(run):
    EVASIONS.append(run)
    return run


# Each takes a port, a word that a reader may see, and one that it should not miss; `c` stands for the connection.

@evasion
def nothing_special(port, plain, hidden):
    c = Client(port).open()
    c.say(write(plain)), c.pump()
    c.say(write(hidden, transaction=2)), c.pump()
    return c


@evasion
def wrong_checksum(port, plain, hidden):
    c = Client(port).open()
    c.put(write(plain), chksum=0x1234)
    c.say(write(hidden)), c.pump()
    return c


@evasion
def wrong_ip_checksum(port, plain, hidden):
    c = Client(port).open()
    c.put(write(plain), ip={"chksum": 0x1234})
    c.say(write(hidden)), c.pump()
    return c


@evasion
def ttl_ends_before_server(port, plain, hidden):
    c = Client(port).open()
    c.lost(write(plain))
    c.say(write(hidden)), c.pump()
    return c


@evasion
def ttl_ends_and_nothing_follows(port, plain, hidden):
    c = Client(port).open()
    c.lost(write(plain)), c.pump()
    return c


@evasion
def other_mac(port, plain, hidden):
    c = Client(port).open()
    c.put(write(plain), to="02:00:00:00:09:99")
    c.say(write(hidden)), c.pump()
    return c


@evasion
def other_vlan(port, plain, hidden):
    c = Client(port).open()
    c.put(write(plain), vlans=[99])
    c.say(write(hidden)), c.pump()
    return c


def priority_tags(count):
    def run(port, plain, hidden):
        c = Client(port).open()
        c.say(write(hidden), vlans=[0] * count), c.pump()
        return c
    run.__name__ = f"priority_tags_{count}"
    return run


for n in (1, 2, 3, 4, 5):
    evasion(priority_tags(n))


@evasion
def old_timestamp(port, plain, hidden):
    c = Client(port, timestamps=True).open()
    c.say(read()), c.pump()
    c.put(write(plain), stamp=5)
    c.say(write(hidden)), c.pump()
    return c


@evasion
def no_timestamp(port, plain, hidden):
    c = Client(port, timestamps=True).open()
    c.put(write(plain), stamp="none")
    c.say(write(hidden)), c.pump()
    return c


@evasion
def md5_signature(port, plain, hidden):
    c = Client(port).open()
    c.put(write(plain), options=[(19, bytes(16))])
    c.say(write(hidden)), c.pump()
    return c


@evasion
def wrong_ack(port, plain, hidden):
    c = Client(port).open()
    c.put(write(plain), ack=c.ack + 5000)
    c.say(write(hidden)), c.pump()
    return c


@evasion
def ack_of_long_ago(port, plain, hidden):
    c = Client(port).open()
    c.put(write(plain), ack=c.ack - 500_000)
    c.say(write(hidden)), c.pump()
    return c


@evasion
def no_ack_flag(port, plain, hidden):
    c = Client(port).open()
    c.put(write(plain), flags="P")
    c.say(write(hidden)), c.pump()
    return c


@evasion
def bare_fin_without_ack(port, plain, hidden):
    c = Client(port).open()
    c.put(flags="F")
    c.say(write(hidden)), c.pump()
    return c


@evasion
def fin_that_is_lost(port, plain, hidden):
    c = Client(port).open()
    c.lost(flags="FA")
    c.say(write(hidden)), c.pump()
    return c


@evasion
def fin_then_data(port, plain, hidden):
    c = Client(port).open()
    c.say(write(plain)), c.pump()
    c.put(flags="FA")
    c.put(write(hidden), seq=c.seq + 1), c.pump()
    c.put(write(hidden), seq=c.seq), c.pump()
    return c


@evasion
def fin_in_the_future(port, plain, hidden):
    c = Client(port).open()
    c.put(flags="FA", seq=c.seq + ONE)
    c.say(write(plain)), c.pump()
    c.say(write(hidden)), c.pump()
    return c


@evasion
def data_across_a_fin(port, plain, hidden):
    c = Client(port).open()
    c.put(flags="FA", seq=c.seq + ONE)
    c.say(write(plain) + write(hidden, transaction=2)), c.pump()
    return c


@evasion
def reset_in_the_window(port, plain, hidden):
    c = Client(port).open()
    c.put(flags="R", seq=c.seq + 100)
    c.say(write(hidden)), c.pump()
    return c


@evasion
def reset_that_is_lost(port, plain, hidden):
    c = Client(port).open()
    c.lost(flags="R")
    c.say(write(hidden)), c.pump()
    return c


@evasion
def data_after_a_reset(port, plain, hidden):
    c = Client(port).open()
    c.say(write(plain)), c.pump()
    c.put(flags="R")
    c.say(write(hidden)), c.pump()
    return c


@evasion
def reset_with_wrong_checksum(port, plain, hidden):
    c = Client(port).open()
    c.put(flags="R", chksum=0x1234)
    c.say(write(hidden)), c.pump()
    return c


@evasion
def data_then_reset_both_lost(port, plain, hidden):
    c = Client(port).open()
    far_ahead(c, plain)
    c.lost(flags="R", seq=c.seq + FAR)
    c.say(write(hidden)), c.pump()
    return c


FAR = ONE + 9 * 1200


def far_ahead(c, plain):
    """A write and then more reads than a reader may remember, all lost on the way."""
    c.lost(write(plain))
    for i in range(9):
        c.lost(b"".join(read(100 * i + j + 2) for j in range(100)), seq=c.seq + ONE + 1200 * i)


@evasion
def history_runs_out(port, plain, hidden):
    """More reads than are remembered, all lost on the way; then the stream as the server hears it."""
    c = Client(port).open()
    far_ahead(c, plain)
    c.say(write(hidden)), c.pump()
    return c


@evasion
def syn_within(port, plain, hidden):
    c = Client(port).open()
    c.put(flags="S", seq=c.seq + 1000)
    c.say(write(hidden)), c.pump()
    return c


@evasion
def syn_with_data(port, plain, hidden):
    c = Client(port)
    c.syn(write(plain)).pump(30)
    c.put(flags="A")
    c.say(write(hidden)), c.pump()
    return c


@evasion
def syn_with_data_and_cookie(port, plain, hidden):
    """TCP Fast Open without a cookie, where the server's host lets it."""
    c = Client(port)
    c.syn(write(hidden), options=[(34, b"")]).pump(30)
    if c.acked == (c.isn + 1 + ONE) & MASK:
        c.seq += ONE
    c.put(flags="A"), c.pump()
    return c


@evasion
def syn_fin(port, plain, hidden):
    c = Client(port)
    c.put(flags="SF", seq=c.isn, ack=0)
    c.open()
    c.say(write(hidden)), c.pump()
    return c


@evasion
def second_syn_that_is_lost(port, plain, hidden):
    c = Client(port)
    c.syn()
    c.lost(flags="S", seq=c.isn + 5000, ack=0)
    c.pump(30)
    c.put(flags="A")
    c.say(write(hidden)), c.pump()
    return c


@evasion
def syn_ack_of_the_client(port, plain, hidden):
    c = Client(port)
    c.syn()
    c.lost(flags="SA", seq=c.isn, ack=c.isn + 1)
    c.pump(30)
    c.put(flags="A")
    c.say(write(hidden)), c.pump()
    return c


@evasion
def handshake_of_the_client_alone(port, plain, hidden):
    c = Client(port)
    c.lost(flags="S", seq=c.isn, ack=0)
    c.lost(flags="SA", seq=c.isn, ack=c.isn + 1)
    c.open()
    c.say(write(hidden)), c.pump()
    return c


@evasion
def syn_ack_before_the_syn(port, plain, hidden):
    c = Client(port)
    c.lost(flags="SA", seq=c.isn, ack=c.isn + 1)
    c.open()
    c.say(write(hidden)), c.pump()
    return c


@evasion
def new_connection_in_the_servers_name(port, plain, hidden):
    """A handshake that the server never saw moves the reader to other sequence numbers, ahead of the real ones."""
    c = Client(port).open()
    other = c.seq + 50_000
    c.lost(flags="S", seq=other - 1, ack=0)
    spoof(c, "SA", 777, other)
    c.lost(flags="A", seq=other, ack=778)
    c.lost(write(plain), seq=other, ack=778)
    c.say(write(hidden)), c.pump()
    return c


@evasion
def acknowledged_in_the_servers_name(port, plain, hidden):
    c = Client(port).open()
    far_ahead(c, plain)
    spoof(c, "A", c.ack, c.seq + FAR)
    c.say(write(hidden)), c.pump()
    return c


@evasion
def reset_in_the_servers_name(port, plain, hidden):
    c = Client(port).open()
    spoof(c, "R", c.ack, 0)
    c.say(write(hidden)), c.pump()
    return c


def with_a_byte_more(plain, hidden):
    """Two requests as the server hears them, when it leaves out the byte at 13; as many whole requests for who keeps it, the first of
    another word, and a byte that begins a third."""
    heard = write(hidden) + write(hidden + 1, transaction=2)
    return heard[:13] + bytes([plain >> 8]) + heard[13:]


@evasion
def urgent_byte(port, plain, hidden):
    """A byte that receivers take out of the stream."""
    c = Client(port).open()
    c.say(with_a_byte_more(plain, hidden), flags="PAU", urgptr=14), c.pump()
    return c


@evasion
def urgent_pointer_ahead(port, plain, hidden):
    """The pointer comes with no bytes of its own; the byte that it means comes later."""
    c = Client(port).open()
    c.put(flags="AU", urgptr=14), c.pump(20)
    c.say(with_a_byte_more(plain, hidden)), c.pump()
    return c


@evasion
def urgent_byte_at_an_end(port, plain, hidden):
    """A read of one byte more than is carried out, whose last byte is not in the stream."""
    c = Client(port).open()
    heard = write(hidden)
    # A reader who keeps the byte sees another word, and the write complete one byte early.
    c.say(heard[:13] + b"\x00" + heard[13:], flags="PAU", urgptr=14), c.pump()
    return c


@evasion
def syn_and_data_that_are_lost(port, plain, hidden):
    """Who goes on from a SYN whose answer was not seen is no proof of a new connection."""
    c = Client(port).open()
    other = c.seq + 50_000
    c.lost(flags="S", seq=other - 1, ack=0)
    c.lost(write(plain), seq=other)
    c.say(write(hidden)), c.pump()
    return c


@evasion
def keep_alive_of_the_first_byte(port, plain, hidden):
    c = Client(port).open()
    c.put(b"\x00", seq=c.seq - 1)
    c.say(write(hidden)), c.pump()
    return c


@evasion
def other_content_later(port, plain, hidden):
    c = Client(port).open()
    c.say(write(plain)), c.pump()
    c.put(write(hidden), seq=c.seq - ONE), c.pump()
    return c


@evasion
def ahead_of_a_hole_twice(port, plain, hidden):
    c = Client(port).open()
    c.put(write(plain)[6:], seq=c.seq + 6)
    c.put(write(hidden)[6:], seq=c.seq + 6)
    c.say(write(hidden)[:6]), c.pump()
    return c


@evasion
def larger_one_covers_smaller_ahead(port, plain, hidden):
    """Linux takes the later segment where it covers an earlier one whole."""
    c = Client(port).open()
    c.put(write(plain)[12:14], seq=c.seq + 12)
    c.put(write(plain)[14:], seq=c.seq + 14)
    c.put(write(hidden)[6:], seq=c.seq + 6)
    c.say(write(hidden)[:6]), c.pump()
    return c


@evasion
def overlap_from_the_left(port, plain, hidden):
    c = Client(port).open()
    c.put(write(plain)[12:], seq=c.seq + 12)
    c.put(write(hidden)), c.pump()
    return c


@evasion
def garbage_before_the_window(port, plain, hidden):
    """As a keep-alive probe of one byte of another content, and then of more."""
    c = Client(port).open()
    c.say(write(plain)), c.pump()
    c.put(b"\x00", seq=c.seq - 1)
    c.say(write(hidden, transaction=2)), c.pump()
    return c


@evasion
def begun_before_the_window(port, plain, hidden):
    """A segment that begins in what the server has, with other content there, and reaches further."""
    c = Client(port).open()
    c.say(write(plain)), c.pump()
    c.put(bytes(ONE) + write(hidden, transaction=2), seq=c.seq - ONE), c.pump()
    return c


@evasion
def begun_before_the_first_byte(port, plain, hidden):
    c = Client(port).open()
    c.put(bytes(50) + write(hidden), seq=c.seq - 50), c.pump()
    return c


@evasion
def beyond_the_window(port, plain, hidden):
    c = Client(port).open()
    c.put(write(plain), seq=c.seq + 500_000)
    c.say(write(hidden)), c.pump()
    return c


@evasion
def one_byte_each(port, plain, hidden):
    c = Client(port).open()
    for byte in write(hidden):
        c.say(bytes([byte]))
    c.pump()
    return c


@evasion
def backwards(port, plain, hidden):
    c = Client(port).open()
    data = write(hidden)
    for i in range(ONE - 1, -1, -1):
        c.put(data[i:i + 1], seq=c.seq + i)
    c.pump()
    return c


@evasion
def sequence_wraps(port, plain, hidden):
    c = Client(port, isn=MASK - 8).open()
    c.say(write(hidden)), c.pump()
    return c


@evasion
def ports_used_again(port, plain, hidden):
    c = Client(port).open()
    c.say(write(plain)), c.pump()
    c.reset()
    c = Client(port, isn=c.seq + 100).open()
    c.say(write(hidden)), c.pump()
    return c


@evasion
def ports_used_again_with_an_older_start(port, plain, hidden):
    c = Client(port).open()
    c.say(write(plain)), c.pump()
    c.reset()
    c = Client(port, isn=(c.isn - 100) & MASK).open()
    c.say(write(hidden)), c.pump()
    return c


@evasion
def ports_used_again_after_a_lost_reset(port, plain, hidden):
    c = Client(port).open()
    c.say(write(plain)), c.pump()
    c.lost(flags="R")
    c.say(write(hidden, transaction=2)), c.pump()
    return c


@evasion
def source_port_of_a_server(port, plain, hidden):
    c = Client(4840)
    c.open()
    c.say(write(hidden)), c.pump()
    return c


@evasion
def source_port_502(port, plain, hidden):
    c = Client(502)
    c.open()
    c.say(write(hidden)), c.pump()
    return c


@evasion
def source_route(port, plain, hidden):
    c = Client(port).open()
    c.put(write(plain), ip={"options": [IPOption_LSRR(routers=[SERVER_IP], pointer=8)]})
    c.say(write(hidden)), c.pump()
    return c


@evasion
def ip_options(port, plain, hidden):
    c = Client(port).open()
    c.say(write(hidden), ip={"options": [b"\x01\x01\x01\x00"]}), c.pump()
    return c


def pieces(client, data, size, **ip):
    whole = client.frame(client.tcp(data), **{"flags": 0, **ip})
    return fragment(whole, fragsize=size)


@evasion
def tiny_fragments(port, plain, hidden):
    c = Client(port).open()
    for piece in pieces(c, write(hidden), 8):
        put(piece)
    c.seq += ONE
    c.pump()
    return c


@evasion
def tiny_fragments_backwards(port, plain, hidden):
    c = Client(port).open()
    for piece in reversed(pieces(c, write(hidden), 8)):
        put(piece)
    c.seq += ONE
    c.pump()
    return c


@evasion
def fragment_again_with_other_content(port, plain, hidden):
    """A piece comes in two contents before the rest. Both sums hold, since two words change places."""
    c = Client(port).open()
    a = pieces(c, write(plain, hidden) + read(2), 8, id=77)
    b = pieces(c, write(hidden, plain) + read(2), 8, id=77)
    put(a[4]), put(b[4])
    for i in (1, 2, 3, 5, 6, 0):
        if i < len(a):
            put(a[i])
    c.seq += 29
    c.pump()
    return c


@evasion
def fragments_overlap(port, plain, hidden):
    c = Client(port).open()
    a = pieces(c, write(plain), 24, id=78)
    b = pieces(c, write(hidden), 8, id=78)
    put(a[1]), put(b[4]), put(a[0])
    c.pump(20)
    c.say(write(hidden)), c.pump()
    return c


@evasion
def fragment_lost_then_another(port, plain, hidden):
    """The first content of a piece is lost on its way; a second one completes the datagram at the server."""
    c = Client(port).open()
    a = pieces(c, write(plain, hidden) + read(2), 40, id=79)
    b = pieces(c, write(hidden, plain) + read(2), 40, id=79)
    lost = a[0].copy()
    lost.dst, lost.ttl = ROUTER_MAC, 1
    del lost[IP].chksum
    put(lost)
    put(a[1])
    c.pump(20)
    put(b[0])
    c.seq += 29
    c.pump()
    return c


@evasion
def fragments_far_apart(port, plain, hidden):
    c = Client(port).open()
    first, *rest = pieces(c, write(hidden), 24, id=81)
    put(first)
    c.pump(1500)
    for piece in rest:
        put(piece)
    c.seq += ONE
    c.pump()
    return c


@evasion
def doubled_fragments(port, plain, hidden):
    c = Client(port).open()
    for piece in pieces(c, write(hidden), 24, id=80):
        put(piece), put(piece)
    c.seq += ONE
    c.pump()
    return c


@evasion
def zero_length_total(port, plain, hidden):
    c = Client(port).open()
    c.put(write(plain), ip={"len": 0})
    c.say(write(hidden)), c.pump()
    return c


@evasion
def data_before_the_handshake_ends(port, plain, hidden):
    c = Client(port)
    c.syn().pump(30)
    c.put(write(plain), ack=c.ack + 9)
    c.pump(20)
    c.open()
    c.say(write(hidden)), c.pump()
    return c


@evasion
def no_handshake_at_all(port, plain, hidden):
    c = Client(port)
    c.ack = 12345
    c.say(write(plain)), c.pump()
    return c


@evasion
def answered_by_itself(port, plain, hidden):
    """A whole connection that only the mirror shows."""
    c = Client(port)
    c.lost(flags="S", seq=c.isn, ack=0)
    spoof(c, "SA", 900, c.seq)
    c.ack = 901
    c.lost(flags="A")
    c.lost(write(plain))
    spoof(c, "PA", 901, c.seq + ONE, write(plain)[:12].replace(b"\x00\x09\x01", b"\x00\x06\x01"))
    c.pump()
    return c


@evasion
def doubled_frames(port, plain, hidden):
    c = Client(port).open()
    c.put(write(hidden))
    c.say(write(hidden)), c.pump()
    c.put(write(hidden), seq=c.seq - ONE), c.pump()
    return c


def main():
    runs = [run for run in EVASIONS if not WANTED or run.__name__ in WANTED]
    for run in runs:
        n = EVASIONS.index(run)
        plain, hidden, port = 100 * n + 11, 100 * n + 22, 20_000 + 7 * n
        began = time.time()
        c = run(port, plain, hidden)
        c.pump(30)
        time.sleep(0.02)
        print(json.dumps({"name": run.__name__, "port": c.port, "began": began, "ended": time.time(), "plain": plain,
                          "hidden": hidden, "answers": c.told.hex(), "flags": c.flags_seen.strip()}), flush=True)


main()
