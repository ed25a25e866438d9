/** Whether a figure is flat: a straight line through its samples. */

export interface Sample {
  /** Seconds. */
  readonly at: number
  readonly value: number
}

export interface Trend {
  readonly mean: number
  /** By the line that fits best (least squares): a minute, and from the first sample to the last. */
  readonly perMinute: number
  readonly growth: number
}

export function trendOf(samples: readonly Sample[]): Trend {
  const first = samples.at(0)
  const last = samples.at(-1)
  if (first === undefined || last === undefined || samples.length < 3)
    throw new RangeError('three samples at least')
  const at = average(samples.map((sample) => sample.at))
  const mean = average(samples.map(({ value }) => value))
  let [products, squares] = [0, 0]
  for (const sample of samples) {
    products += (sample.at - at) * (sample.value - mean)
    squares += (sample.at - at) ** 2
  }
  const slope = products / squares
  return { mean, perMinute: slope * 60, growth: slope * (last.at - first.at) }
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
