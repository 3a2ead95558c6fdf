import { css } from "lit";

/** What every element of the page has in common. */
export const shared = css`
  :host {
    display: block;
    min-width: 0;
  }
  :host([hidden]) {
    display: none;
  }
  * {
    box-sizing: border-box;
  }
  h1,
  h2,
  h3,
  p,
  ul,
  ol,
  dl,
  dd {
    margin: 0;
    padding: 0;
  }
  ul,
  ol {
    list-style: none;
  }
  .panel {
    background: var(--panel);
    border: 1px solid var(--line);
    border-radius: 3px;
    padding: 8px 12px 10px;
    min-width: 0;
  }
  .bar {
    display: flex;
    align-items: baseline;
    gap: 6px 12px;
    flex-wrap: wrap;
  }
  h2 {
    font-size: 12px;
    font-weight: 600;
    letter-spacing: 0.02em;
    color: var(--ink-2);
  }
  .grow {
    flex: 1;
  }
  .quiet {
    color: var(--ink-2);
  }
  .small {
    font-size: 12px;
  }
  .visually-hidden {
    position: absolute;
    width: 1px;
    height: 1px;
    margin: -1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  button {
    font: inherit;
    font-weight: 600;
    min-height: 30px;
    padding: 3px 12px;
    border: 1px solid var(--line-strong);
    border-radius: 3px;
    background: var(--raised);
    color: var(--ink);
    cursor: pointer;
  }
  button:hover:not(:disabled) {
    border-color: var(--ink);
  }
  button:disabled {
    cursor: not-allowed;
    color: var(--ink-3);
    border-style: dashed;
    background: transparent;
  }
  button.main {
    background: var(--act);
    border-color: var(--act);
    color: var(--act-ink);
  }
  button.main:disabled {
    background: transparent;
    color: var(--ink-3);
    border-color: var(--line-strong);
  }
  button.slight {
    min-height: 24px;
    padding: 0 8px;
    font-size: 12px;
    font-weight: 500;
  }
  button[aria-pressed="true"] {
    background: var(--ink-2);
    border-color: var(--ink-2);
    color: var(--raised);
  }
  :focus-visible {
    outline: 3px solid var(--focus);
    outline-offset: 1px;
  }
  svg {
    display: block;
  }
  .icon {
    width: 14px;
    height: 14px;
    flex: none;
  }
`;
