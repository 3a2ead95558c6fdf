/** A source of numbers in [0, 1). Its state advances with every call, so the order of calls belongs to what a seed means. */
export type Random = () => number;

/**
 * The generator mulberry32 (T. Ettinger, public domain): 32 bits of state, period 2³², good enough for sensor noise and reaction
 * times, and identical on every platform because it uses integer arithmetic only.
 *
 * @param seed whole number; `stream` separates uses of one seed, so that drawing more in one place moves nothing elsewhere
 */
export function random(seed: number, stream = ""): Random {
  let state = mix(seed, stream);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

/** FNV-1a over the stream's name, folded into the seed. */
function mix(seed: number, stream: string): number {
  let hash = 0x811c9dc5 ^ (seed | 0);
  for (let i = 0; i < stream.length; i += 1) hash = Math.imul(hash ^ stream.charCodeAt(i), 0x01000193);
  return hash | 0;
}

/** Uniform in [low, high). */
export function between(rng: Random, low: number, high: number): number {
  return low + (high - low) * rng();
}

/** Nearly normal with mean 0 and standard deviation 1: the sum of three uniforms (Irwin–Hall), scaled. Never beyond ±3. */
export function noise(rng: Random): number {
  return 2 * (rng() + rng() + rng() - 1.5);
}
