// An hmi-monitor on the interface of a host of a network of namespaces; its arguments are the interface, a log file, the buffer in MiB, and `immediate` or nothing.
import { readFileSync } from "node:fs";
import { captureUser } from "#hmi-monitor/interface-source.ts";
import { runHmiMonitor } from "#hmi-monitor/main.ts";
import { openClock } from "#point/clock.ts";
import { PhaseId } from "#specs/ids.ts";
import { busyPlant } from "./namespaces-busy-plant.ts";

const [name = "", logFile = "", bufferMib = "32", when = ""] = process.argv.slice(2);
const user = captureUser(readFileSync("/etc/passwd", "utf8"), process.getuid?.() === 0);
const monitor = await runHmiMonitor({
  bundle: busyPlant(),
  source: {
    kind: "interface",
    interface: name,
    bufferKib: Number(bufferMib) * 1024,
    immediate: when === "immediate",
    ...(user === undefined ? {} : { user }),
  },
  // Cards of a namespace leave the checksum to a card that is not there.
  verifyChecksums: false,
  mode: "enforce",
  clock: await openClock("system", "hmi-monitor"),
  standalonePhase: PhaseId("normal"),
  logFile,
});
process.on("SIGTERM", () => {
  monitor.close().then(
    () => process.exit(0),
    () => process.exit(1),
  );
});
process.stdout.write("ready\n");
