import type { Figure } from "../figure.ts";
import { benchGrowth } from "./growth.ts";
import { benchModbus } from "./modbus.ts";
import { benchOpcUa } from "./opcua.ts";
import { Workshop } from "./processes.ts";

/** What it costs to have every message decoded, judged and receipted on its way, beside relays that look at nothing. */
export async function benchSwitchFilter(progress: (says: string) => void): Promise<readonly Figure[]> {
  const workshop = new Workshop();
  try {
    const modbus = await benchModbus(workshop, progress);
    const opcua = await benchOpcUa(workshop, progress);
    return [...modbus, ...opcua, ...benchGrowth(progress)];
  } finally {
    await workshop.close();
  }
}
