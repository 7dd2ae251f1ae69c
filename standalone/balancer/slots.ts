// What one controller may put on one invoker: memory in MB, and places in containers that concurrent activations share.

/** What an activation takes. */
export interface Share {
  /** Activations of the same key share containers; the action's name with its version. */
  readonly key: string;
  readonly memoryMB: number;
  /** So many activations fit into one container. */
  readonly concurrency: number;
}

interface SharedContainers {
  count: number;
  freePlaces: number;
}

/** The free memory of an invoker; below zero while it is over-committed. */
export class Slots {
  #freeMB: number;
  readonly #shared = new Map<string, SharedContainers>();

  constructor(memoryMB: number) {
    this.#freeMB = memoryMB;
  }

  get freeMB(): number {
    return this.#freeMB;
  }

  /** Takes what the activation needs; false: there is not enough, and nothing is taken. */
  tryTake(share: Share): boolean {
    if (this.#freeMB < share.memoryMB && !this.#hasPlace(share)) {
      return false;
    }
    this.take(share);
    return true;
  }

  /** Takes it whether it is there or not. */
  take({ key, memoryMB, concurrency }: Share): void {
    const containers = concurrency > 1 ? this.#containersOf(key) : undefined;
    if (containers !== undefined && containers.freePlaces > 0) {
      containers.freePlaces--;
      return;
    }
    this.#freeMB -= memoryMB;
    if (containers !== undefined) {
      containers.count++;
      containers.freePlaces = concurrency - 1;
    }
  }

  /** Gives back what an activation took; a container's memory is free again once as many places are as it has. */
  giveBack({ key, memoryMB, concurrency }: Share): void {
    const containers = this.#shared.get(key);
    if (concurrency <= 1 || containers === undefined) {
      this.#freeMB += memoryMB;
      return;
    }
    containers.freePlaces++;
    if (containers.freePlaces === concurrency) {
      containers.freePlaces = 0;
      containers.count--;
      this.#freeMB += memoryMB;
    }
    if (containers.count === 0) {
      this.#shared.delete(key);
    }
  }

  #hasPlace({ key, concurrency }: Share): boolean {
    return concurrency > 1 && (this.#shared.get(key)?.freePlaces ?? 0) > 0;
  }

  #containersOf(key: string): SharedContainers {
    const containers = this.#shared.get(key) ?? { count: 0, freePlaces: 0 };
    this.#shared.set(key, containers);
    return containers;
  }
}
