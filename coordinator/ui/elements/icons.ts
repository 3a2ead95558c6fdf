import { html, type SVGTemplateResult, svg, type TemplateResult } from "lit";
import type { Severity } from "#coordinator/page-messages.ts";
import type { LinkKind } from "../state/link.ts";
import type { PointMark } from "../state/points.ts";

// Marks on a field of 16 × 16. Each meaning has its own shape; colour only repeats it.

const POINT_MARKS: Readonly<Record<PointMark, SVGTemplateResult>> = {
  "in-force": svg`<circle cx="8" cy="8" r="7" fill="var(--ink-2)"/><path d="M4.5 8.3 7 10.8 11.6 5.6" fill="none" stroke="var(--panel)" stroke-width="1.8"/>`,
  joining: svg`<circle cx="8" cy="8" r="6.2" fill="none" stroke="var(--warn)" stroke-width="1.8" stroke-dasharray="3 2.4"/>`,
  isolated: svg`<rect x="1" y="1" width="14" height="14" fill="var(--alarm-fill)"/><path d="M2.5 8h3.2M10.3 8h3.2M6.5 4.8l3 6.4" stroke="var(--alarm-ink)" stroke-width="1.8"/>`,
  blind: svg`<path d="M1 8c3-5.6 11-5.6 14 0-3 5.6-11 5.6-14 0Z" fill="none" stroke="var(--alarm)" stroke-width="1.6"/><path d="M2.5 14 13.5 2" stroke="var(--alarm)" stroke-width="2"/>`,
  silent: svg`<circle cx="8" cy="8" r="6.6" fill="none" stroke="var(--alarm)" stroke-width="1.7"/><path d="M8 4v4.3l3 2" fill="none" stroke="var(--alarm)" stroke-width="1.7"/>`,
  down: svg`<path d="M2.5 2.5l11 11M13.5 2.5l-11 11" stroke="var(--alarm)" stroke-width="3"/>`,
  missing: svg`<rect x="1.5" y="1.5" width="13" height="13" fill="none" stroke="var(--alarm)" stroke-width="1.6" stroke-dasharray="2.6 2"/><text x="8" y="12" text-anchor="middle" font-size="11" font-weight="700" fill="var(--alarm)">?</text>`,
  unknown: svg`<circle cx="8" cy="8" r="6.6" fill="none" stroke="var(--ink-3)" stroke-width="1.4" stroke-dasharray="2 2"/><text x="8" y="11.6" text-anchor="middle" font-size="10" font-weight="700" fill="var(--ink-3)">?</text>`,
};

const SEVERITY_MARKS: Readonly<Record<Severity, SVGTemplateResult>> = {
  alarm: svg`<path d="M8 .8 15.6 15H.4Z" fill="var(--alarm-fill)"/><path d="M8 5.6v4.6" stroke="var(--alarm-ink)" stroke-width="1.9"/><circle cx="8" cy="12.6" r="1.2" fill="var(--alarm-ink)"/>`,
  warning: svg`<path d="M8 .6 15.4 8 8 15.4.6 8Z" fill="var(--warn-fill)" stroke="var(--warn)"/><path d="M8 4.2v4.6" stroke="var(--warn-ink)" stroke-width="1.8"/><circle cx="8" cy="11.3" r="1.1" fill="var(--warn-ink)"/>`,
  notice: svg`<circle cx="8" cy="8" r="6.6" fill="none" stroke="var(--ink-3)" stroke-width="1.5"/><path d="M8 7v4.6" stroke="var(--ink-3)" stroke-width="1.8"/><circle cx="8" cy="4.6" r="1.1" fill="var(--ink-3)"/>`,
};

const LINK_MARKS: Readonly<Record<LinkKind, SVGTemplateResult>> = {
  live: svg`<path d="M1 8h14" stroke="var(--ink-2)" stroke-width="2"/><circle cx="3" cy="8" r="2.6" fill="var(--ink-2)"/><circle cx="13" cy="8" r="2.6" fill="var(--ink-2)"/>`,
  connecting: svg`<path d="M5 8h6" stroke="var(--ink-2)" stroke-width="2" stroke-dasharray="2 1.6"/><circle cx="3" cy="8" r="2.2" fill="none" stroke="var(--ink-2)" stroke-width="1.5"/><circle cx="13" cy="8" r="2.2" fill="none" stroke="var(--ink-2)" stroke-width="1.5"/>`,
  quiet: POINT_MARKS.silent,
  lost: svg`<path d="M1 8h4M11 8h4" stroke="var(--alarm)" stroke-width="2.2"/><path d="M6 4l4 8M10 4l-4 8" stroke="var(--alarm)" stroke-width="2"/>`,
};

function icon(inner: SVGTemplateResult): TemplateResult {
  return html`<svg class="icon" viewBox="0 0 16 16" aria-hidden="true">${inner}</svg>`;
}

export const pointIcon = (mark: PointMark): TemplateResult => icon(POINT_MARKS[mark]);
export const severityIcon = (severity: Severity): TemplateResult => icon(SEVERITY_MARKS[severity]);
export const linkIcon = (kind: LinkKind): TemplateResult => icon(LINK_MARKS[kind]);

/** Barred circle: denied. An allow has a small open ring, so that the column can be scanned. */
export function verdictIcon(denied: boolean): TemplateResult {
  return denied
    ? icon(
        svg`<circle cx="8" cy="8" r="6.6" fill="var(--alarm-fill)"/><path d="M4 8h8" stroke="var(--alarm-ink)" stroke-width="2.4"/>`,
      )
    : icon(svg`<circle cx="8" cy="8" r="3" fill="none" stroke="var(--ink-3)" stroke-width="1.4"/>`);
}

/** Drawn into a larger picture, its middle at x, y. */
export function severityMarkAt(x: number, y: number, size: number, severity: Severity): SVGTemplateResult {
  return svg`<g transform="translate(${x - size / 2} ${y - size / 2}) scale(${size / 16})">${SEVERITY_MARKS[severity]}</g>`;
}

/** A small clock before a value that is no longer current. */
export function staleMarkAt(x: number, y: number): SVGTemplateResult {
  return svg`<g transform="translate(${x} ${y})"><circle r="5" fill="none" stroke="var(--ink-3)" stroke-width="1.2"/><path d="M0-3V0l2.2 1.6" fill="none" stroke="var(--ink-3)" stroke-width="1.2"/></g>`;
}
