import { buildTcpFrame, TCP_FLAG, TcpReassembler, type ReassemblySink } from "#wire/packet/index.ts";
import { CaptureReader, encodePcapHeader, encodePcapRecord } from "#wire/pcap/index.ts";
const flows = Number(process.argv[2] ?? 100), N = Number(process.argv[3] ?? 400000);
const parts: Buffer[] = [encodePcapHeader()];
const seqs = new Map<number, [number, number]>();
const adu = Buffer.from("000100000006010300000003".padEnd(24,"0"), "hex");
const base = { srcMac: "02:00:00:00:00:0a", dstMac: "02:00:00:00:00:0b" };
let t = 1700000000000;
function fr(i: number, up: boolean, flags: number, payload: Buffer) {
  const s = seqs.get(i) ?? [1000, 9000]; 
  const ip = `10.1.${i >> 8}.${i & 255}`;
  const f = buildTcpFrame({ ...base, srcIp: up ? ip : "10.0.0.20", dstIp: up ? "10.0.0.20" : ip, srcPort: up ? 40000 : 502, dstPort: up ? 502 : 40000, seq: up ? s[0] : s[1], ack: up ? s[1] : s[0], flags, payload });
  const n = payload.length + (flags & TCP_FLAG.SYN ? 1 : 0);
  if (up) s[0] += n; else s[1] += n;
  seqs.set(i, s);
  t += 0.05;
  parts.push(encodePcapRecord(t, f));
}
const none = Buffer.alloc(0);
for (let i = 0; i < flows; i++) { fr(i, true, 2, none); fr(i, false, 18, none); fr(i, true, 16, none); }
for (let k = 0; k < N / 2; k++) { const i = (k*7919) % flows; fr(i, true, 24, adu); fr(i, false, 24, adu); }
const file = Buffer.concat(parts);
console.log("file", (file.length / 1e6).toFixed(1), "MB, frames", parts.length - 1);
const heap0 = process.memoryUsage();
for (let round = 0; round < 4; round++) {
  let data = 0, opened = 0, other = 0;
  const sink: ReassemblySink = { open() { opened++; }, data(_f, _d, b) { data += b.length; }, overlap() { other++; }, blind() { other++; }, close() {}, skipped() { other++; } };
  const verify = process.argv[4] === "off" ? false : process.argv[4] === "auto" ? "auto" : true;
  const r = new TcpReassembler({ verifyChecksums: verify }, process.argv[5] === "events" ? undefined : sink);
  const reader = new CaptureReader();
  const t0 = performance.now(), c0 = process.cpuUsage();
  let read = 0, n = 0;
  for (let at = 0; at < file.length; at += 65536) {
    const a = performance.now();
    const frames = reader.push(file.subarray(at, at + 65536));
    read += performance.now() - a;
    for (const f of frames) { n++; const e = r.push(f.frame, f.timeMs, f); if (e.length) for (const x of e) if (x.kind === "data") data += x.bytes.length; }
  }
  const ms = performance.now() - t0, cpu = process.cpuUsage(c0).user / 1000;
  console.log(`${(n / ms / 1000).toFixed(2)} M/s wall, ${(n / cpu / 1000).toFixed(2)} M/s cpu; reader ${(n/read/1000).toFixed(2)} M/s;  reassembly only ${(n/(ms-read)/1000).toFixed(2)}`, { opened, data, other }, JSON.stringify(r.stats));
}
console.log("rss", (process.memoryUsage().rss / 1e6).toFixed(0), "heap", ((process.memoryUsage().heapUsed - heap0.heapUsed) / 1e6).toFixed(0), "ext", ((process.memoryUsage().arrayBuffers-heap0.arrayBuffers)/1e6).toFixed(0));
