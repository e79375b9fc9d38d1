/**
 * The lower end of the Wilson score interval of a share (Wilson 1927): with few samples far below the share that was seen,
 * with many close to it.
 */
export function wilsonLowerBound(hits: number, calls: number, z: number): number {
  if (hits === 0) return 0; // also where rounding would make it less
  const share = hits / calls;
  const z2 = z * z;
  const spread = z * Math.sqrt((share * (1 - share) + z2 / (4 * calls)) / calls);
  return (share + z2 / (2 * calls) - spread) / (1 + z2 / calls);
}

/**
 * How many standard deviations a two-sided interval of this confidence reaches: 1.96 for 0.95. The tail is inverted by
 * bisection over Abramowitz & Stegun 7.1.26 (error below 1.5e-7), once for each rule.
 */
export function standardScore(confidence: number): number {
  const inside = (z: number): number => {
    const x = z / Math.SQRT2;
    const t = 1 / (1 + 0.3275911 * x);
    const series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
    return 1 - series * Math.exp(-x * x);
  };
  let [low, high] = [0, 6];
  for (let i = 0; i < 50; i++) {
    const middle = (low + high) / 2;
    if (inside(middle) < confidence) low = middle;
    else high = middle;
  }
  return low;
}
