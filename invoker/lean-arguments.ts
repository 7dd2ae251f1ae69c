// What the operator's further options of `docker run` mean for lean containers.

type Options = { readonly [option: string]: readonly string[] };

export interface LeanArguments {
  readonly pidsMax?: number;
  readonly openFiles?: number;
  readonly dnsServers?: readonly string[];
  readonly dnsSearch?: readonly string[];
  readonly dnsOptions?: readonly string[];
  readonly environment?: { readonly [name: string]: string };
}

/** Each gives undefined where its values mean nothing here. As for Docker, it replaces what would hold otherwise. */
const readings: { readonly [option: string]: (values: readonly string[]) => LeanArguments | undefined } = {
  "pids-limit": (values) => positive(values.at(-1), (pidsMax) => ({ pidsMax })),
  ulimit: (values) => {
    const limits = values.map((value) => /^nofile=(\d+)(?::\d+)?$/.exec(value)?.[1]);
    return limits.includes(undefined) ? undefined : positive(limits.at(-1), (openFiles) => ({ openFiles }));
  },
  dns: (dnsServers) => ({ dnsServers }),
  "dns-search": (dnsSearch) => ({ dnsSearch }),
  "dns-opt": (dnsOptions) => ({ dnsOptions }),
  "dns-option": (dnsOptions) => ({ dnsOptions }),
  env: (values) => {
    const pairs = values.map((value) => /^([^=]+)=(.*)$/s.exec(value));
    const environment = Object.fromEntries(pairs.map((pair) => [pair?.[1], pair?.[2]]));
    return pairs.includes(null) ? undefined : { environment };
  },
};

function positive<Read>(text: string | undefined, read: (value: number) => Read): Read | undefined {
  return /^[1-9]\d*$/.test(text ?? "") ? read(Number(text)) : undefined;
}

export function leanArguments(options: Options): LeanArguments {
  return Object.assign(
    {},
    ...Object.entries(options).map(([option, values]) => readings[option]?.(values)),
  ) as LeanArguments;
}

/** The options that hold for Docker's containers alone. */
export function dockerOnly(options: Options): readonly string[] {
  return Object.entries(options).flatMap(([option, values]) =>
    readings[option]?.(values) === undefined ? [option] : [],
  );
}
