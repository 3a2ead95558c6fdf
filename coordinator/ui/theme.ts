import { css } from "lit";

/**
 * After ANSI/ISA-101.01: grey ground, grey equipment; colour is kept for what is abnormal, and never stands alone.
 * Pairs of ink and ground meet WCAG 2.2 AA (4.5:1).
 */
export const theme = css`
  :root {
    color-scheme: light dark;
    --ground: #d6d9db;
    --panel: #e7e9ea;
    --raised: #f4f5f6;
    --line: #b3babe;
    --line-strong: #7b858b;
    --ink: #1b2125;
    --ink-2: #465057;
    --ink-3: #566168;
    --fill: #9aa4aa;
    --fill-soft: #c6ccd0;
    --alarm: #a80020;
    --alarm-fill: #c8102e;
    --alarm-ink: #ffffff;
    --alarm-soft: #f6dadd;
    --warn: #7a4a00;
    --warn-fill: #f0b323;
    --warn-ink: #241800;
    --warn-soft: #f7e6bf;
    --act: #1d4f7c;
    --act-ink: #ffffff;
    --focus: #0b57d0;
    --shade: rgb(20 26 30 / 45%);
  }
  @media (prefers-color-scheme: dark) {
    :root {
      --ground: #15191c;
      --panel: #1f2529;
      --raised: #2a3136;
      --line: #3f494f;
      --line-strong: #7d8990;
      --ink: #e8ebed;
      --ink-2: #b7c0c6;
      --ink-3: #9eaab1;
      --fill: #7c878e;
      --fill-soft: #414b52;
      --alarm: #ff9a9f;
      --alarm-fill: #e5384f;
      --alarm-ink: #ffffff;
      --alarm-soft: #4a1d22;
      --warn: #ffcb6b;
      --warn-fill: #f0b323;
      --warn-ink: #241800;
      --warn-soft: #43350f;
      --act: #9cc7f0;
      --act-ink: #10202e;
      --focus: #8ab8ff;
      --shade: rgb(0 0 0 / 60%);
    }
  }
  html {
    background: var(--ground);
    color: var(--ink);
    font: 14px/1.35 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
    font-variant-numeric: tabular-nums;
  }
  body {
    margin: 0;
  }
`;
