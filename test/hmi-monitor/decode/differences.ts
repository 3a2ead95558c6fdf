import { isDeepStrictEqual } from "node:util";
import type { Line } from "./decoded.ts";
import type { Facts } from "./modbus-facts.ts";
import type { Difference } from "./tshark-differences.ts";

export interface Compared {
  /** differences that nobody has explained, one line each */
  readonly unexplained: readonly string[];
  /** names of the differences that were met */
  readonly met: ReadonlySet<string>;
}

/** Holds our facts against tshark's, message by message and fact by fact. */
export function compare(
  lines: readonly Line[],
  ours: readonly Facts[],
  theirs: readonly Facts[],
  known: readonly Difference[],
): Compared {
  const unexplained: string[] = [];
  const met = new Set<string>();
  if (ours.length !== theirs.length) unexplained.push(`${ours.length} messages of ours, ${theirs.length} of tshark's`);
  ours.forEach((own, i) => {
    const line = lines[i] ?? {};
    const their = theirs[i] ?? {};
    for (const fact of new Set([...Object.keys(own), ...Object.keys(their)])) {
      if (isDeepStrictEqual(own[fact], their[fact])) continue;
      const difference = known.find(({ about, facts }) => facts.includes(fact) && about(line));
      if (difference !== undefined) met.add(difference.name);
      else
        unexplained.push(
          `frame ${own["frame"]}, ${fact}: ${JSON.stringify(own[fact])} of ours, ${JSON.stringify(their[fact])} of tshark's`,
        );
    }
  });
  return { unexplained, met };
}
