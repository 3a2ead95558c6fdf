import type { PacketPlan } from "#switch-filter/packet-filter/compile.ts";
import type { PacketSite } from "#switch-filter/packet-filter/site.ts";
import { waterTreatment } from "../../support/plant.ts";

const { bundle } = waterTreatment({
  "hmi-1": ["10.97.1.11"],
  "ews-1": ["10.97.1.21"],
  "plc-1": ["10.97.2.1"],
  "plc-2": ["10.97.2.2"],
});

export const LIFECYCLE = bundle.lifecycle;

export const BRIDGE: PacketSite = {
  mode: "bridge",
  devices: {
    "hmi-1": { mac: "02:00:00:00:01:11", interface: "s-hmi" },
    "ews-1": { mac: "02:00:00:00:01:21", interface: "s-ews" },
    "plc-1": { mac: "02:00:00:00:02:01", interface: "s-plc" },
  },
  ports: ["s-spare"],
};

export const ROUTED: PacketSite = {
  mode: "routed",
  devices: {
    "hmi-1": { mac: "02:00:00:00:01:11", interface: "s-lan" },
    "ews-1": { mac: "02:00:00:00:01:21", interface: "s-lan" },
    "plc-1": { mac: "02:00:00:00:02:01", interface: "s-plc" },
    "plc-2": { mac: "02:00:00:00:02:02", interface: "s-plc" },
  },
  filter: {
    listeners: [{ server: "plc-1", protocol: "modbus", address: "169.254.7.100", port: 15_502 }],
    aliases: { "hmi-1": "169.254.7.1", "ews-1": "169.254.7.2" },
    direct: ["plc-2"],
  },
};

export const planOf = (site: PacketSite): PacketPlan => ({
  plant: bundle.plant,
  flows: bundle.projections.flows,
  site,
});
