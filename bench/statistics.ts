/** Statistics of small samples of positive figures, on a logarithmic scale because it compares ratios. */

export function median(values: readonly number[]): number {
  if (values.length === 0) return Number.NaN;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export interface RatioInterval {
  readonly ratio: number;
  /** 95 % confidence interval; null with fewer than two values on either side. */
  readonly interval: readonly [low: number, high: number] | null;
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

const variance = (values: readonly number[]): number => {
  const centre = mean(values);
  return values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1);
};

/** 97.5 % quantile of Student's t for 1 to 30 degrees of freedom. */
const T_975 = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11,
  2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
];
const T_975_LARGE = 1.96;

/** Uses the next smaller entry of the table, which widens the interval. */
const studentT = (degrees: number): number => T_975[Math.max(1, Math.floor(degrees)) - 1] ?? T_975_LARGE;

/** Ratio of the geometric means of two samples, `after / before`, with Welch's interval. */
export function ratioOf(before: readonly number[], after: readonly number[]): RatioInterval {
  const logsBefore = before.map(Math.log);
  const logsAfter = after.map(Math.log);
  const difference = mean(logsAfter) - mean(logsBefore);
  const ratio = Math.exp(difference);
  if (before.length < 2 || after.length < 2) return { ratio, interval: null };
  const partBefore = variance(logsBefore) / before.length;
  const partAfter = variance(logsAfter) / after.length;
  const squaredError = partBefore + partAfter;
  if (squaredError === 0) return { ratio, interval: [ratio, ratio] };
  const degrees = squaredError ** 2 / (partBefore ** 2 / (before.length - 1) + partAfter ** 2 / (after.length - 1));
  const margin = studentT(degrees) * Math.sqrt(squaredError);
  return { ratio, interval: [Math.exp(difference - margin), Math.exp(difference + margin)] };
}
