import { describe, expect, test } from "vitest";
import { wrongImports } from "../../scripts/import-direction.ts";

function isAllowed(file: string, source: string): boolean {
  return wrongImports(file, source).length === 0;
}

describe("import direction", () => {
  test.each([
    ["wire/modbus/mbap.ts", 'import type { UnitId } from "#specs/ids.ts";'],
    ["wire/modbus/mbap.ts", 'import { err, ok } from "#specs/result.ts";'],
    ["wire/modbus/mbap.ts", 'import { SPEC } from "../source.ts";'],
    ["enforcement-point/receipt.ts", 'import { decode } from "#wire/modbus/mbap.ts";'],
    ["switch-filter/main.ts", 'import { PhaseView } from "#point/phase-view.ts";'],
    ["switch-filter/main.ts", 'import net from "node:net";\nimport pino from "pino";'],
    ["coordinator/main.ts", 'import { topic } from "#coordinator/topics.ts";'],
    ["coordinator/ui/page.ts", 'import type { Status } from "#coordinator/status.ts";'],
    ["sim-plant/soft-plc.ts", 'import { guard } from "#plc-guard/guard.ts";'],
    ["cli/up.ts", 'import { plant } from "#sim/plant.ts";'],
    ["test/cli/up.test.ts", 'import { up } from "#cli/up.ts";'],
    ["test/project/setup.test.mjs", 'import { setup } from "../../scripts/setup.mjs";'],
  ])("%s allows %s", (file, source) => expect(wrongImports(file, source)).toEqual([]));

  test.each([
    ["lifecycle-specs/policy.ts", 'import { decode } from "#wire/modbus/mbap.ts";'],
    ["lifecycle-specs/policy.ts", 'import { decode } from "../wire/modbus/mbap.ts";'],
    ["wire/modbus/mbap.ts", 'import { UnitId } from "#specs/ids.ts";'],
    ["wire/modbus/mbap.ts", 'import { x } from "../../lifecycle-specs/result.ts";'],
    ["hmi-monitor/main.ts", 'import { filter } from "#switch-filter/filter.ts";'],
    ["plc-guard/agent.ts", 'import type { Plant } from "#sim/plant.ts";'],
    ["plc-guard/agent.ts", 'const plant = await import("#sim/plant.ts");'],
    ["plc-guard/agent.ts", 'import "#sim/plant.ts";'],
    ["plc-guard/agent.ts", 'export * from "#sim/plant.ts";'],
    ["plc-guard/agent.ts", 'export {\n  a,\n  b,\n} from "#sim/plant.ts";'],
    ["coordinator/main.ts", 'import { page } from "#coordinator/ui/page.ts";'],
    ["coordinator/main.ts", 'import { page } from "./ui/page.ts";'],
    ["coordinator/ui/page.ts", 'import { status } from "#coordinator/status.ts";'],
    ["coordinator/ui/page.ts", 'import type { Status } from "../status.ts";'],
    ["sim-plant/soft-plc.ts", 'import { up } from "#cli/up.ts";'],
    ["cli/up.ts", 'import { helper } from "../test/support/tools.ts";'],
  ])("%s refuses %s", (file, source) => expect(isAllowed(file, source)).toBe(false));

  test("names the file, the line and the import", () => {
    const source = 'import net from "node:net";\n\nimport { up } from "#cli/up.ts";\n';
    expect(wrongImports("coordinator/main.ts", source)).toEqual([
      "coordinator/main.ts:3: coordinator may not import `#cli/up.ts`, see CONTRIBUTING.md, Import direction",
    ]);
  });
});
