import { relocatePlant } from "#specs/addresses.ts";
import { type Bundle, buildBundle } from "#specs/bundle.ts";
import type { Plant } from "#specs/plant.ts";
import type { Network } from "../support/netns.ts";
import { waterTreatment } from "../support/plant.ts";

// The water-treatment plant on three hosts: an operator station, the filter's host, and the PLCs, which only the filter's host
// reaches. The operator station knows the PLCs by the addresses at which the filter stands.

export const STATION = "10.96.1.11";
/** Where the plant file, and the operator station, have the PLCs. */
export const MODBUS = { host: "10.96.2.1", port: 502 };
export const OPCUA = { host: "10.96.2.2", port: 4840 };
/** Where they really are. */
export const BEHIND = { modbus: { host: "10.95.0.1", port: 502 }, opcua: { host: "10.95.0.2", port: 4840 } };
/** The OPC UA server's certificate, in its folder. */
export const SERVER_CERTIFICATE = "works.pem";
const TOWARDS_PLC = "10.95.0.254";

export function works(): { readonly plant: Plant; readonly bundle: Bundle } {
  const { plant, lifecycle } = waterTreatment();
  const moved = relocatePlant(plant, "127.10.", "10.96.");
  return { plant: moved, bundle: buildBundle(moved, lifecycle) };
}

/** No host forwards packets, so what the station reaches it reaches through the filter. */
export async function worksNetwork(net: Network): Promise<void> {
  await net.host("station", "filter", "plc");
  await net.cable(
    { host: "station", device: "eth", address: `${STATION}/16` },
    { host: "filter", device: "station", address: `${MODBUS.host}/16` },
  );
  await net.ip("filter", "addr", "add", `${OPCUA.host}/16`, "dev", "station");
  await net.cable(
    { host: "plc", device: "eth", address: `${BEHIND.modbus.host}/24` },
    { host: "filter", device: "plc", address: `${TOWARDS_PLC}/24` },
  );
  await net.ip("plc", "addr", "add", `${BEHIND.opcua.host}/24`, "dev", "eth");
}

/** Arguments of `sekisho switch-filter`, as a user gives them. */
export function filterArguments(bundleFile: string): readonly string[] {
  const at = ({ host, port }: typeof MODBUS) => `${host}:${port}`;
  return [
    ...["switch-filter", "--bundle", bundleFile, "--unsigned", "--standalone", "--phase", "normal"],
    ...["--link", "hmi-plc1", "--listen", at(MODBUS), "--upstream", at(BEHIND.modbus)],
    ...["--link", "hmi-plc2-ua", "--listen", at(OPCUA), "--upstream", at(BEHIND.opcua)],
  ];
}
