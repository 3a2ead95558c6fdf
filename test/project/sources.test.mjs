import { expect, test } from "vitest";
import { sourceFinder } from "../../scripts/source-finder.mjs";

const find = sourceFinder("file:///project/", { "#wire/*": "./wire/*", "#sim/*": "./sim-plant/*" });

test.each([
  { specifier: "./tcp.ts", parent: "wire/packet/ipv4.ts", want: "wire/packet/tcp.ts" },
  { specifier: "../wire-error.ts", parent: "wire/packet/ipv4.ts", want: "wire/wire-error.ts" },
  { specifier: "#wire/pcap/index.ts", parent: "cli/decode.ts", want: "wire/pcap/index.ts" },
  { specifier: "#sim/random.ts", parent: "bench/main.ts", want: "sim-plant/random.ts" },
])("a source is found from another: $specifier", ({ specifier, parent, want }) =>
  expect(find(specifier, `file:///project/${parent}`)).toBe(`file:///project/${want}`),
);

test.each([
  { name: "a package", specifier: "commander", parent: "file:///project/cli/main.ts" },
  { name: "a part of Node", specifier: "node:fs", parent: "file:///project/cli/main.ts" },
  { name: "what package.json does not name", specifier: "#other/a.ts", parent: "file:///project/cli/main.ts" },
  { name: "a file that is no TypeScript", specifier: "./a.mjs", parent: "file:///project/cli/main.ts" },
  { name: "from a dependency", specifier: "./a.ts", parent: "file:///project/node_modules/x/main.js" },
  { name: "from elsewhere", specifier: "./a.ts", parent: "file:///projects/main.js" },
  { name: "the first file", specifier: "./a.ts", parent: undefined },
])("Node looks for $name itself", ({ specifier, parent }) => expect(find(specifier, parent)).toBeUndefined());
