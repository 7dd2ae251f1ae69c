// Axes: where a value lies, and which values are written beside it.

export interface Scale {
  readonly at: (value: number) => number;
  readonly ticks: readonly number[];
}

/** From one place of the picture to another, in its units. */
export type Reach = readonly [from: number, to: number];

const finest = [1, 2, 5];
const ticksMax = 7;

/** Logarithmic, over whole steps of 1, 2, 5 that hold all values, which are positive. */
export function logScale(values: readonly number[], [from, to]: Reach): Scale {
  const [least, most] = extent(values.filter((value) => value > 0));
  const steps = logSteps(least, most);
  const [first = 1, last = 10] = [steps[0], steps.at(-1)];
  const at = (value: number): number =>
    from +
    ((Math.log(Math.max(value, first)) - Math.log(first)) / (Math.log(last) - Math.log(first))) * (to - from);
  const decades = steps.filter((step) => isDecade(step));
  const candidates = steps.length <= ticksMax ? steps : decades;
  return { at, ticks: thinned(candidates) };
}

/** From 0 on, over whole steps of 1, 2, 5. */
export function linearScale(values: readonly number[], [from, to]: Reach): Scale {
  const [, most] = extent(values);
  const magnitude = 10 ** Math.floor(Math.log10(most / (ticksMax - 2)));
  const step = [1, 2, 5, 10].map((one) => one * magnitude).find((one) => most / one <= ticksMax - 2) ?? most;
  const last = step * Math.ceil(most / step);
  const ticks = Array.from({ length: Math.round(last / step) + 1 }, (_, i) => i * step);
  return { at: (value) => from + (value / last) * (to - from), ticks };
}

function extent(values: readonly number[]): readonly [least: number, most: number] {
  const found = values.reduce<[number, number]>(
    ([least, most], value) => [Math.min(least, value), Math.max(most, value)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  );
  return Number.isFinite(found[0]) && found[1] > 0 ? found : [1, 10];
}

/** The steps around and between two values, two of them at least. */
function logSteps(least: number, most: number): readonly number[] {
  const steps: number[] = [];
  for (let decade = Math.floor(Math.log10(least)); decade <= Math.ceil(Math.log10(most)); decade++) {
    steps.push(...finest.map((one) => Number(`${one}e${decade}`)));
  }
  const before = steps.findLastIndex((step) => step <= least);
  const after = steps.findIndex((step) => step >= most);
  return steps.slice(before, Math.max(after, before + 1) + 1);
}

function isDecade(step: number): boolean {
  return Number.isInteger(Math.round(Math.log10(step) * 1e9) / 1e9);
}

function thinned(ticks: readonly number[]): readonly number[] {
  const every = Math.ceil(ticks.length / ticksMax);
  return ticks.filter((_, i) => i % every === 0);
}
