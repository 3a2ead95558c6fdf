// A switch-filter on a gateway of a network of namespaces; its options are the one argument, as JSON.
import { readFileSync } from "node:fs";
import { openClock } from "#point/clock.ts";
import { PhaseId } from "#specs/ids.ts";
import { runSwitchFilter } from "#switch-filter/main.ts";
import { Gateway } from "#switch-filter/packet-filter/gateway.ts";
import { nftCommand } from "#switch-filter/packet-filter/nft.ts";
import { loadPair } from "#switch-filter/packet-filter/pair-file.ts";
import { readPacketSite } from "#switch-filter/packet-filter/site.ts";
import { aliasesOf } from "#switch-filter/packet-filter/wiring.ts";
import { movedPlant, UPSTREAM } from "./namespaces-routed.ts";

const [siteFile = "", phase = "", pairFile] = process.argv.slice(2);
const site = readPacketSite(readFileSync(siteFile, "utf8"));
if (!site.ok) throw new Error(site.error);
const { bundle } = movedPlant();
const [listener] = site.value.filter?.listeners ?? [];
if (listener === undefined) throw new Error("the site has no listener");
const plan = { plant: bundle.plant, flows: bundle.projections.flows, site: site.value };
// One of two filters also keeps the packet filter of its host, and the links.
const gateway =
  pairFile === undefined
    ? undefined
    : await Gateway.open({
        plan,
        nft: nftCommand(),
        pair: loadPair(pairFile),
        held: () => ({ phase: PhaseId(phase), epoch: 1 }),
        say: (says) => process.stderr.write(`${says}\n`),
      });
const filter = await runSwitchFilter({
  bundle,
  listeners: [{ link: "hmi-plc1", listen: { host: listener.address, port: listener.port }, upstream: UPSTREAM }],
  from: aliasesOf(bundle.plant, site.value),
  mode: "enforce",
  clock: await openClock("system", "switch-filter"),
  standalonePhase: PhaseId(phase),
});
await gateway?.start();
process.on("SIGTERM", () => {
  Promise.all([gateway?.close(), filter.close()]).then(
    () => process.exit(0),
    () => process.exit(1),
  );
});
process.stdout.write("ready\n");
