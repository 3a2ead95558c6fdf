import { expect, test } from "vitest";
import { hasNetworkNamespaces, hasTool, isRoot } from "../support/tools.ts";

test("a tool is an executable on the PATH or in the system's folders", () => {
  expect(hasTool("sh")).toBe(true);
  expect(hasTool("sekisho-no-such-tool")).toBe(false);
});

test.skipIf(isRoot())("network namespaces are not for ordinary users", () => {
  expect(hasNetworkNamespaces()).toBe(false);
});
