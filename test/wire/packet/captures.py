"""Captures made by scapy, for tshark and for us to read. Usage: captures.py FOLDER; prints nothing."""
import random
import sys

from scapy.all import (AH, CookedLinux, CookedLinuxV2, Dot1AD, Dot1Q, Ether, IP, IPv6, IPv6ExtHdrDestOpt,
                       IPv6ExtHdrFragment, IPv6ExtHdrHopByHop, IPv6ExtHdrRouting, Loopback, PadN, Raw, TCP,
                       UDP, fragment, fragment6, wrpcap)

random.seed(5)
FOLDER = sys.argv[1]
MAC_A, MAC_B = "02:00:00:00:00:0a", "02:00:00:00:00:0b"


def talk(port, a, b, wrap, make_ip, turns=4, largest=40, isn=(0xFFFFFFF0, 5000)):
    """Frames of a conversation: handshake, requests and answers of random bytes, FIN both ways."""
    seq = {"c": isn[0], "s": isn[1]}
    frames = []

    def say(who, flags, data=b""):
        other = "s" if who == "c" else "c"
        ends = (a, b, port, 502) if who == "c" else (b, a, 502, port)
        tcp = TCP(sport=ends[2], dport=ends[3], flags=flags, seq=seq[who], ack=0 if flags == "S" else seq[other],
                  options=[("Timestamp", (len(frames) + 1, 7))] if port % 2 else [])
        frames.append(wrap(who, make_ip(ends[0], ends[1]) / tcp / Raw(data) if data else make_ip(ends[0], ends[1]) / tcp))
        seq[who] = (seq[who] + len(data) + (1 if "S" in flags or "F" in flags else 0)) & 0xFFFFFFFF

    say("c", "S"), say("s", "SA"), say("c", "A")
    for _ in range(turns):
        for who in "cs":
            say(who, "PA", random.randbytes(random.randint(1, largest)))
    say("c", "FA"), say("s", "FA"), say("c", "A")
    return frames


def save(name, frames, linktype=None):
    for i, f in enumerate(frames):
        f.time = 1700000000 + i / 1000
    kwargs = {} if linktype is None else {"linktype": linktype}
    wrpcap(f"{FOLDER}/{name}.pcap", frames, **kwargs)


def bytes_of(packets):
    """Built once, with all checksums."""
    return [type(p)(bytes(p)) for p in packets]


V4, V6 = lambda s, d: IP(src=s, dst=d, id=7), lambda s, d: IPv6(src=s, dst=d)
A4, B4, A6, B6 = "10.0.0.10", "10.0.0.20", "2001:db8::a", "2001:db8:0:1:0:0:0:b"
ether = lambda who, p: Ether(src=MAC_A if who == "c" else MAC_B, dst=MAC_B if who == "c" else MAC_A) / p
tag = lambda *tags: lambda who, p: ether(who, tags_of(tags, p))


def tags_of(tags, p):
    for layer in reversed(tags):
        p = layer.copy() / p
    return p


ext = lambda *headers: lambda s, d: chain(IPv6(src=s, dst=d), headers)


def chain(p, headers):
    for h in headers:
        p = p / h.copy()
    return p


hop = IPv6ExtHdrHopByHop(options=[PadN(optdata=b"\0" * 12)])
dest = IPv6ExtHdrDestOpt(options=[PadN(optdata=b"\0" * 4)])
route = IPv6ExtHdrRouting(addresses=["2001:db8::1"], segleft=0)

def behind_ah(frame):
    """An authentication header between IP and TCP; scapy itself leaves the checksum of TCP open there."""
    p = type(frame)(bytes(frame))
    ip = p.payload
    tcp = Raw(bytes(ip.payload))
    head = IP(src=ip.src, dst=ip.dst, proto=51) if IP in p else IPv6(src=ip.src, dst=ip.dst, nh=51)
    return Ether(src=p.src, dst=p.dst) / head / AH(nh=6, spi=1, seq=1, icv=b"\0" * 12, payloadlen=4) / tcp



links = []
links += talk(40000, A4, B4, ether, V4)
links += talk(40001, A6, B6, ether, V6)
links += talk(40002, A4, B4, tag(Dot1Q(vlan=100)), V4)
links += talk(40003, A4, B4, tag(Dot1AD(vlan=7), Dot1Q(vlan=100)), V4)
links += talk(40005, A6, B6, tag(Dot1Q(vlan=1), Dot1Q(vlan=2)), V6)
links += talk(40006, A6, B6, ether, ext(hop))
links += talk(40007, "fe80::1", "::ffff:10.0.0.1", ether, ext(hop, dest, route, dest))
links += [behind_ah(f) for f in talk(40008, "2001:0:0:1::1", "2001:db8:1:1:1:1:0:1", ether, V6)]
links += [behind_ah(f) for f in talk(40010, A4, B4, ether, V4)]
links += talk(40009, A6, "::1", ether, ext(dest, IPv6ExtHdrFragment(id=9)))
links += [ether("c", IP(src=A4, dst=B4) / UDP(sport=1, dport=2) / Raw(b"udp")), ether("c", Raw(b"none"))]
save("ethernet", bytes_of(links))


def pieces(frames, size, start):
    """Each frame with data in IP fragments, each datagram with an identification of its own; every second one backwards."""
    out = []
    for i, f in enumerate(frames):
        p = f[IP] if IP in f else f[IPv6]
        head = Ether(src=f.src, dst=f.dst)
        if IP in f:
            p.id = start + i
            del p.chksum
            cut = [head / x for x in fragment(IP(bytes(p)), fragsize=size)]
        else:
            whole = IPv6(bytes(p))
            whole = IPv6(src=whole.src, dst=whole.dst) / IPv6ExtHdrFragment(id=start + i) / whole.payload
            cut = [head / x for x in fragment6(whole, size + 48)]
        out += reversed(cut) if i % 2 else cut
    return out


fragments = []
fragments += pieces(talk(41000, A4, B4, ether, V4, largest=900), 64, 1000)
fragments += pieces(talk(41001, A6, B6, ether, V6, largest=900), 64, 2000)
fragments += pieces(talk(41002, A4, B4, ether, V4, largest=900), 8, 3000)
save("fragments", bytes_of(fragments))


def shuffled(frames, lost=0):
    """Handshake, then data frames overtaking one another, some twice, one answer missing if `lost`."""
    head, data, tail = frames[:3], frames[3:-3], frames[-3:]
    data += random.sample(data, len(data) // 3)
    data = [f for _, f in sorted(enumerate(data), key=lambda x: x[0] + random.uniform(0, 3))]
    if lost:
        victim = bytes([f for f in data if f[TCP].sport == 502][2])
        data = [f for f in data if bytes(f) != victim]
    return head + data + tail


def disordered(port, lost=0):
    frames = talk(port, A4, B4, ether, V4, turns=30, largest=60)
    return shuffled(frames, lost)


order = disordered(42000) + disordered(42001) + disordered(42002, lost=1)
save("order", bytes_of(order))

cooked = lambda who, p: CookedLinux(pkttype=4 if who == "c" else 0, lladdrtype=1, lladdrlen=6,
                                    src=bytes.fromhex("02000000000a") + b"\0\0",
                                    proto=0x0800 if IP in p else 0x86DD) / p
cooked2 = lambda who, p: CookedLinuxV2(pkttype=4 if who == "c" else 0, lladdrtype=1, lladdrlen=6, ifindex=3,
                                       src=bytes.fromhex("02000000000a") + b"\0\0",
                                       proto=0x0800 if IP in p else 0x86DD) / p
both = lambda wrap: talk(43000, A4, B4, wrap, V4) + talk(43001, A6, B6, wrap, V6)
save("cooked", bytes_of(both(cooked)), 113)
save("cooked2", bytes_of(both(cooked2)), 276)
save("raw", [Raw(bytes(p)) for p in both(lambda who, p: p)], 101)
save("raw4", [Raw(bytes(p)) for p in talk(43000, A4, B4, lambda who, p: p, V4)], 228)
save("raw6", [Raw(bytes(p)) for p in talk(43000, A6, B6, lambda who, p: p, V6)], 229)
family = {4: {"null": b"\x02\0\0\0", "loop": b"\0\0\0\x02"}, 6: {"null": b"\x1e\0\0\0", "loop": b"\0\0\0\x18"}}
for name, linktype in (("null", 0), ("loop", 108)):
    save(name, [Raw(family[bytes(p)[0] >> 4][name] + bytes(p)) for p in both(lambda who, p: p)], linktype)
