/** The value below which a share of the samples lies. The samples are sorted in place. */
export function quantile(samples: Float64Array, share: number): number {
  samples.sort();
  return samples[Math.min(samples.length - 1, Math.floor(share * samples.length))] ?? Number.NaN;
}

/** ns of taking the time twice with nothing in between: what a timed call has to be relieved of. */
export function timerCostNs(): number {
  const samples = new Float64Array(100_000);
  for (let i = 0; i < samples.length; i += 1) {
    const start = performance.now();
    samples[i] = (performance.now() - start) * 1e6;
  }
  return quantile(samples, 0.5);
}
