import picocolors from "picocolors";

export type Colours = ReturnType<typeof picocolors.createColors>;

/** Colours for a stream: only on a terminal that has them, and not where `--no-color` or `NO_COLOR` say no (no-color.org). */
export function coloursFor(
  stream: { readonly isTTY?: boolean },
  flag: boolean | undefined,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Colours {
  const wanted = flag !== false && (env["NO_COLOR"] ?? "") === "" && env["TERM"] !== "dumb";
  return picocolors.createColors(stream.isTTY === true && wanted);
}

/** `1 phase`, `2 phases`. */
export function count(n: number, one: string, several = `${one}s`): string {
  return `${n} ${n === 1 ? one : several}`;
}

/** A table: the first column is text, the others are numbers; two spaces between. */
export function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => lengthOf(row[column] ?? ""))));
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const room = " ".repeat((widths[column] ?? 0) - lengthOf(cell));
        return column === 0 ? cell + room : room + cell;
      })
      .join("  ")
      .trimEnd(),
  );
}

function lengthOf(text: string): number {
  return [...text].length;
}
