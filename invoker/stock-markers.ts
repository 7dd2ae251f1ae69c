// Stock's markers as Prometheus sees them: their names, with labels where the operator wants tags.

import { Counter, Gauge, Histogram, type Registry } from "prom-client";

type Labels = { readonly [name: string]: string };

/**
 * `<component>_<action>[_<part>]_<state>`. The type is put before it; the unit, and `_total` for counters, behind it: what
 * Kamon's reporter makes of stock's markers.
 */
export interface Marker {
  readonly name: string;
  /** With `whisk.metrics.kamon-tags-enabled`: what varies is in labels, and no part of the name. */
  readonly tagged?: { readonly name: string; readonly labels: Labels };
  readonly help: string;
}

const secondBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
const countBuckets = [1, 2, 5, 10, 20, 50, 100, 200, 500];

interface Given {
  readonly name: string;
  readonly help: string;
  readonly labelNames: string[];
  readonly registers: Registry[];
}

/** Each metric is there from the first time that its marker is asked for. */
export class Markers {
  readonly tags: boolean;
  readonly #registry: Registry;
  readonly #made = new Map<string, Counter | Gauge | Histogram>();
  /** With its labels, by type, end and untagged name, which is of one set of labels alone. */
  readonly #known = new Map<string, ReturnType<(Counter | Gauge | Histogram)["labels"]>>();

  constructor(registry: Registry, tags: boolean) {
    this.#registry = registry;
    this.tags = tags;
  }

  counter(marker: Marker): Counter.Internal {
    return this.#of(marker, "counter", "_total", (given) => new Counter(given));
  }

  gauge(marker: Marker): Gauge.Internal<string> {
    return this.#of(marker, "gauge", "", (given) => new Gauge(given));
  }

  /** Of seconds. */
  timer(marker: Marker): Histogram.Internal<string> {
    return this.#of(marker, "histogram", "_seconds", (given) => {
      return new Histogram({ ...given, buckets: secondBuckets });
    });
  }

  sizes(marker: Marker): Histogram.Internal<string> {
    return this.#of(marker, "histogram", "", (given) => new Histogram({ ...given, buckets: countBuckets }));
  }

  /** One that is read when somebody asks. */
  watched(marker: Marker, value: () => number): void {
    const gauge: Gauge = new Gauge({
      ...{ name: `gauge_${fitting(marker.name)}`, help: marker.help, registers: [this.#registry] },
      collect: () => gauge.set(value()),
    });
  }

  #of<Metric extends Counter | Gauge | Histogram>(
    marker: Marker,
    type: string,
    end: string,
    make: (given: Given) => Metric,
  ): ReturnType<Metric["labels"]> {
    const key = `${type} ${end} ${marker.name}`;
    const known = this.#known.get(key) ?? this.#make(marker, type, end, make);
    this.#known.set(key, known);
    return known as ReturnType<Metric["labels"]>;
  }

  #make(
    { name, tagged, help }: Marker,
    type: string,
    end: string,
    make: (given: Given) => Counter | Gauge | Histogram,
  ): ReturnType<(Counter | Gauge | Histogram)["labels"]> {
    const used = this.tags && tagged !== undefined ? tagged : { name, labels: {} };
    const full = `${type}_${fitting(used.name)}${end}`;
    const labelNames = Object.keys(used.labels);
    const metric =
      this.#made.get(full) ?? make({ name: full, help, labelNames, registers: [this.#registry] });
    this.#made.set(full, metric);
    return metric.labels(used.labels);
  }
}

/** As Kamon's reporter has it: every other character is an underscore. */
function fitting(name: string): string {
  return name.replace(/[^A-Za-z0-9_:]/g, "_");
}
