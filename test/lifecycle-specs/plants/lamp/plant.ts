import { definePlant } from "#specs/builders.ts";

export default definePlant({
  id: "lamp",
  title: "A lamp",
  zones: { room: "The room" },
  devices: {
    "hmi-1": { title: "Operator station", role: "hmi", zone: "room", addresses: ["10.0.3.11"] },
    "plc-1": { title: "Lamp PLC", role: "plc", zone: "room", addresses: ["10.0.3.1"] },
  },
  links: { "hmi-plc": { client: "hmi-1", server: "plc-1", protocol: "modbus", mode: "enforce" } },
  tags: {
    LAMP: {
      title: "lamp",
      kind: "command",
      device: "plc-1",
      range: [0, 1],
      modbus: { unit: 1, table: "coil", address: 0 },
    },
  },
});
