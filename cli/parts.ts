import type { Command } from "commander";
import { trustOptions } from "./bundle-file.ts";
import { runPart } from "./part.ts";
import { startCoordinator } from "./parts/coordinator.ts";
import { startHmiMonitor } from "./parts/hmi-monitor.ts";
import { startGuardAgent } from "./parts/plc-guard.ts";
import { pointFlags } from "./parts/point-flags.ts";
import { startSwitchFilter } from "./parts/switch-filter.ts";
import { port } from "./protocol-ports.ts";

/** `sekisho switch-filter | hmi-monitor | plc-guard | coordinator`: one part of Sekisho as a process of its own. */
export function addPartCommands(program: Command): void {
  pointFlags(program.command("switch-filter").description("stand inline on Modbus and OPC UA links"))
    .requiredOption("--link <id...>", "a link of the plant; one --listen and one --upstream belong to each")
    .requiredOption("--listen <host:port...>", "where clients connect to")
    .requiredOption("--upstream <host:port...>", "the server behind")
    .option("--local-address <address>", "own address towards the servers")
    .option("--max-connections <count>", "connections on each listener; default 4096")
    .option(
      "--max-connections-per-source <count>",
      "connections of one declared device on each listener; default 2048, or all where those are fewer",
    )
    .option("--deny <class=action,...>", "Modbus: `close`, `drop` or `exception:CODE` for a class of denied requests")
    .option("--framing <framing>", "Modbus links: `mbap` (Modbus/TCP), or `rtu` over TCP", "mbap")
    .option(
      "--tls-clients <cert,key,ca>",
      "Modbus links: TLS towards the clients, who must have a certificate; PEM files",
    )
    .option("--tls-roles <role,...>", "with --tls-clients: only certificates with these roles may connect")
    .option("--tls-server <cert,key,ca>", "Modbus links: TLS towards the servers; PEM files")
    .option(
      "--opcua-pki <folder>",
      "OPC UA links: secured channels end here, with this folder's certificates and trust lists; see docs/switch-filter.md",
    )
    .option(
      "--packet-filter <site>",
      "keep this host's nftables in step with the phase; a site file, see docs/packet-filter.md",
    )
    .option("--pair <file>", "with --packet-filter: the second of two filters before the same links")
    .action((flags) => runPart("switch-filter", () => startSwitchFilter(flags)));

  pointFlags(program.command("hmi-monitor").description("judge what the HMI commands, from a mirror port or inline"))
    .option("--mirror <host:port>", "a live pcap stream")
    .option("--interface <name>", "a network interface, on which a mirror port ends")
    .option("--capture <file>", "a pcap or pcapng file; `-` is standard input")
    .option("--capture-tool <tool>", "with --interface: `tcpdump` or `dumpcap`; default: the first that is installed")
    .option("--capture-user <user>", "with --interface, as root: whom tcpdump becomes; default tcpdump, else nobody")
    .option("--capture-buffer <MiB>", "with --interface: buffer in the kernel; default 32")
    .option(
      "--capture-immediate",
      "with --interface: frames at once, not up to a second later; see docs/hmi-monitor.md",
    )
    .option(
      "--checksums <rule>",
      "frames with wrong checksums: verify, auto, ignore; default: auto for --capture, else verify",
    )
    .option("--inline", "on the operator station: enforce, before a command leaves it")
    .option("--station <device>", "with --inline: which device of the plant this is")
    .option("--link <id...>", "with --inline: a link of the station; one --listen and one --upstream belong to each")
    .option("--listen <host:port...>", "with --inline: the loopback address that the HMI connects to")
    .option("--upstream <host:port...>", "with --inline: the server")
    .option("--modbus-port <port...>", "TCP ports of the Modbus servers; default: 502", port)
    .option("--opcua-port <port...>", "TCP ports of the OPC UA servers; default: 4840", port)
    .action((flags) => runPart("hmi-monitor", () => startHmiMonitor(flags)));

  pointFlags(program.command("plc-guard").description("speak for the guards in the PLCs"))
    .requiredOption("--plc <device=host:port...>", "a PLC and the address of its guard's agent link")
    .option("--local-address <address>", "own address towards the PLCs")
    .action((flags) => runPart("plc-guard", () => startGuardAgent(flags)));

  trustOptions(program.command("coordinator"))
    .description("lead the plant's phases, find where an attack sits, show the operator page")
    .requiredOption("--bundle <B>", "a bundle file, or a plant under lifecycle-specs/plants")
    .requiredOption("--run-dir <folder>", "where records and evidence are kept")
    .option("--mqtt <host:port>", "where the embedded broker listens", "127.0.0.1:1883")
    .option("--http <host:port>", "where the operator page is served", "127.0.0.1:8080")
    .option("--mode <mode>", "off, monitor or enforce", "enforce")
    .option("--policy <policy>", "containment: `auto` takes it, `propose` waits for a person", "auto")
    .option("--clock <clock>", "`system`, or the clock of a simulated plant as tcp:HOST:PORT", "system")
    .option(
      "--fresh",
      "where no phase was ever recorded, begin in the lifecycle's initial phase instead of asking an engineer",
    )
    .action((flags) => runPart("coordinator", () => startCoordinator(flags)));
}
