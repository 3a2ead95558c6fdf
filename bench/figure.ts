/** One measured figure. With `--json` it is one line of output: these names are a contract. */
export interface Figure {
  readonly bench: string;
  /** What was asked: the size of the policy, the kind of question. */
  readonly case: string;
  /** Us, or the program beside us. */
  readonly subject: string;
  readonly metric: string;
  readonly value: number;
  readonly unit: string;
  /** Wrong or failed answers during the measurement. */
  readonly errors: number;
  /** A bound, for example `<= 300`; the figure is held against it. */
  readonly target?: string;
  readonly met?: boolean;
}

/** A figure with its target: `<=` or `>=` a number. */
export function withTarget(figure: Figure, sign: "<=" | ">=", bound: number): Figure {
  const met = figure.errors === 0 && (sign === "<=" ? figure.value <= bound : figure.value >= bound);
  return { ...figure, target: `${sign} ${bound}`, met };
}

export function line(figure: Figure): string {
  return `${JSON.stringify(figure)}\n`;
}

/** For people: aligned columns, in the order of measurement. */
export function table(figures: readonly Figure[]): string {
  const head = ["case", "subject", "metric", "value", "unit", "errors", "target", ""];
  const rows = figures.map((f) => [
    f.case,
    f.subject,
    f.metric,
    digits(f.value),
    f.unit,
    String(f.errors),
    f.target ?? "",
    f.met === undefined ? "" : f.met ? "met" : "MISSED",
  ]);
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  return [head, ...rows]
    .map(
      (row) =>
        `${row
          .map((cell, i) => cell.padEnd(widths[i] ?? 0))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}

function digits(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}
