/** What a flow controller remembers between scans. */
export interface FlowControl {
  /** Integral part, % of speed. */
  readonly integral: number;
  /** Last output, % of speed. */
  readonly speed: number;
}

export const AT_REST: FlowControl = { integral: 0, speed: 0 };

/** Proportional gain, % of speed per m³/h; integral time, s; steepest change of speed, %/s. */
const GAIN = 0.5;
const INTEGRAL_TIME_S = 6;
const SLEW_PER_S = 25;
const MOST_INTEGRAL = 30;

/**
 * Speed of a pump from a flow set-point: feed-forward by the pump's capacity, corrected by a PI controller whose integral stops
 * while the output is at its limit.
 *
 * @param wanted set-point, m³/h; 0 stops the pump
 * @param measured flow, m³/h
 */
export function flowControl(
  state: FlowControl,
  wanted: number,
  measured: number,
  capacity: number,
  dtMs: number,
): FlowControl {
  if (wanted <= 0) return { integral: 0, speed: slew(state.speed, 0, dtMs) };
  const error = wanted - measured;
  const feedForward = (100 * wanted) / capacity;
  const integral = clamp(
    state.integral + (GAIN * error * dtMs) / 1000 / INTEGRAL_TIME_S,
    -MOST_INTEGRAL,
    MOST_INTEGRAL,
  );
  const asked = feedForward + GAIN * error + integral;
  const speed = slew(state.speed, clamp(asked, 0, 100), dtMs);
  const saturated = asked !== clamp(asked, 0, 100) || Math.abs(speed - asked) > 1e-9;
  return { integral: saturated ? state.integral : integral, speed };
}

function slew(from: number, to: number, dtMs: number): number {
  const most = (SLEW_PER_S * dtMs) / 1000;
  return from + clamp(to - from, -most, most);
}

export function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, value));
}
