// Decisions of the pool as tables.

import { expect } from "chai";
import { plan, type Step } from "../../../pool/schedule.ts";
import { type Placed, placesIn, type Wanted } from "../../../pool/seats.ts";

function seat(id: number, fields: Partial<Placed>): Placed {
  return { id, kind: "node", state: "clean", memoryMB: 256, owner: undefined, lastUsed: id, ...fields };
}
const job = (fields: Partial<Wanted> = {}): Wanted => ({
  kind: "node",
  memoryMB: 256,
  owner: "a",
  isPatient: false,
  ...fields,
});

interface Row {
  readonly name: string;
  readonly seats: readonly Placed[];
  readonly jobs: readonly Wanted[];
  readonly budgetMB?: number;
  /** Docker is not there, or answers nobody. */
  readonly withoutDocker?: boolean;
  readonly leanMost?: number;
  readonly steps: readonly Step[];
}

const rows: readonly Row[] = [
  {
    name: "a warm container of the owner comes before a clean one",
    seats: [seat(1, {}), seat(2, { state: "warm", owner: "a" })],
    jobs: [job()],
    steps: [{ step: "lease", job: 0, container: 2 }],
  },
  {
    name: "a job with an init of its own has a clean container rather than its owner's action checkpoint",
    seats: [seat(1, {}), seat(2, { state: "warm", owner: "a", levelBytes: 4096 })],
    jobs: [job({ hasOwnInit: true }), job()],
    steps: [
      { step: "lease", job: 0, container: 1 },
      { step: "lease", job: 1, container: 2 },
    ],
  },
  {
    name: "its owner's container at an action checkpoint is put back for a job with an init of its own",
    seats: [seat(1, { state: "warm", owner: "a", levelBytes: 4096 })],
    jobs: [job({ hasOwnInit: true })],
    steps: [{ step: "recycle", container: 1 }],
  },
  {
    name: "its owner's live state is for a job with an init of its own too, as in stock",
    seats: [seat(1, {}), seat(2, { state: "warm", owner: "a" })],
    jobs: [job({ hasOwnInit: true })],
    steps: [{ step: "lease", job: 0, container: 2 }],
  },
  {
    name: "of several clean containers the one used last is taken",
    seats: [seat(1, { lastUsed: 5 }), seat(2, { lastUsed: 9 }), seat(3, { lastUsed: 7 })],
    jobs: [job()],
    steps: [{ step: "lease", job: 0, container: 2 }],
  },
  {
    name: "a clean container takes any memory size if the difference fits",
    seats: [seat(1, {})],
    jobs: [job({ memoryMB: 512 })],
    budgetMB: 512,
    steps: [{ step: "lease", job: 0, container: 1 }],
  },
  {
    name: "of clean containers one that was used is taken rather than one that only it could have",
    seats: [seat(1, { lastUsed: 5 }), seat(2, { lastUsed: 9, isUnused: true })],
    jobs: [job()],
    steps: [{ step: "lease", job: 0, container: 1 }],
  },
  {
    name: "a fresh job gets one that nobody has used, whatever else there is, its own warm one too",
    seats: [
      ...[seat(1, { lastUsed: 9 }), seat(2, { state: "warm", owner: "a" }), seat(3, { isUnused: true })],
      seat(4, { state: "running", owner: "a", spare: 1 }),
    ],
    jobs: [job({ isFresh: true }), job()],
    budgetMB: 4096,
    steps: [
      { step: "lease", job: 0, container: 3 },
      { step: "lease", job: 1, container: 4 },
    ],
  },
  {
    name: "a fresh job waits for one that is being made, not for one that is being rewound",
    seats: [seat(1, { state: "rewinding" }), seat(2, { state: "starting", isUnused: true })],
    jobs: [job({ isFresh: true })],
    steps: [],
  },
  {
    name: "a container is made for a fresh job rather than another owner's put back, or one waited for that is rewound",
    seats: [seat(1, { state: "rewinding" }), seat(2, { state: "warm", owner: "b" })],
    jobs: [job({ isFresh: true })],
    budgetMB: 768,
    steps: [{ step: "create", job: 0, kind: "node", memoryMB: 256 }],
  },
  {
    name: "used containers of its own kind make way for a fresh job where memory is full",
    seats: [seat(1, { lastUsed: 9 }), seat(2, { lastUsed: 5 })],
    jobs: [job({ isFresh: true })],
    budgetMB: 512,
    steps: [{ step: "evict", container: 2 }],
  },
  {
    name: "a fresh job that Docker's image is to run gets no container that its owner has used",
    seats: [seat(1, { image: "php", state: "warm", owner: "a" })],
    jobs: [job({ image: "php", isFresh: true })],
    budgetMB: 512,
    steps: [{ step: "create", job: 0, kind: "node", memoryMB: 256 }],
  },
  {
    name: "a fresh job that Docker's image is to run is refused without Docker, though its owner's comes back",
    seats: [seat(1, { image: "php", state: "running", owner: "a" })],
    jobs: [job({ image: "php", isFresh: true })],
    withoutDocker: true,
    steps: [{ step: "refuse", job: 0, why: "no-docker" }],
  },
  {
    name: "a container that need not grow is preferred",
    seats: [seat(1, { memoryMB: 512, lastUsed: 1 }), seat(2, { lastUsed: 2 })],
    jobs: [job({ memoryMB: 512 })],
    steps: [{ step: "lease", job: 0, container: 1 }],
  },
  {
    name: "a warm container of another owner is put back rather than a new one made",
    seats: [seat(1, { state: "warm", owner: "b" })],
    jobs: [job()],
    steps: [{ step: "recycle", container: 1 }],
  },
  {
    name: "a job waits for a container under way instead of making another",
    seats: [seat(1, { state: "rewinding" })],
    jobs: [job()],
    steps: [],
  },
  {
    name: "each container under way is counted on by one job only",
    seats: [seat(1, { state: "rewinding" })],
    jobs: [job(), job()],
    steps: [{ step: "create", job: 1, kind: "node", memoryMB: 256 }],
  },
  {
    name: "a job that waits for a container under way holds back nobody",
    seats: [seat(1, { state: "starting", kind: "python" }), seat(2, {})],
    jobs: [job({ kind: "python" }), job()],
    steps: [{ step: "lease", job: 1, container: 2 }],
  },
  {
    name: "a new container is made where there is room",
    seats: [seat(1, { state: "running" })],
    jobs: [job()],
    steps: [{ step: "create", job: 0, kind: "node", memoryMB: 256 }],
  },
  {
    name: "without room the least recently used idle container goes, and the job waits until it is gone",
    seats: [seat(1, { kind: "python", lastUsed: 2 }), seat(2, { kind: "python", lastUsed: 1 })],
    jobs: [job()],
    budgetMB: 512,
    steps: [{ step: "evict", container: 2 }],
  },
  {
    name: "what is being removed still counts, and nothing more is evicted than needed",
    seats: [seat(1, { kind: "python" }), seat(2, { state: "removing" })],
    jobs: [job()],
    budgetMB: 512,
    steps: [],
  },
  {
    name: "a tainted container counts until it is gone",
    seats: [seat(1, { state: "tainted" })],
    jobs: [job()],
    budgetMB: 256,
    steps: [],
  },
  {
    name: "what is stuck still counts, but nobody waits for its memory while others can make way",
    seats: [seat(1, { kind: "python" }), seat(2, { image: "php", state: "removing", isStuck: true })],
    jobs: [job()],
    budgetMB: 512,
    steps: [{ step: "evict", container: 1 }],
  },
  {
    name: "beside what is stuck lean ones make way first, however recently used: another of Docker's may get stuck as well",
    seats: [
      seat(1, { image: "php", state: "warm", lastUsed: 1 }),
      seat(2, { kind: "python", lastUsed: 2 }),
      seat(3, { image: "php", state: "removing", isStuck: true }),
    ],
    jobs: [job()],
    budgetMB: 768,
    steps: [{ step: "evict", container: 2 }],
  },
  {
    name: "who needs more than others can give beside what is stuck waits for that, and holds back nobody",
    seats: [seat(1, { kind: "python" }), seat(2, { image: "php", state: "removing", isStuck: true })],
    jobs: [job({ memoryMB: 512 }), job({ kind: "python" })],
    budgetMB: 512,
    steps: [{ step: "lease", job: 1, container: 1 }],
  },
  {
    name: "nobody overtakes a job that waits for memory",
    seats: [seat(1, { state: "running", memoryMB: 512 }), seat(2, { memoryMB: 128, kind: "python" })],
    jobs: [job({ memoryMB: 512 }), job({ kind: "python", memoryMB: 128 })],
    budgetMB: 640,
    steps: [{ step: "evict", container: 2 }],
  },
  {
    name: "to make way for a larger job others go first and the largest of its kind grows",
    seats: [seat(1, {}), seat(2, { kind: "python" })],
    jobs: [job({ memoryMB: 512 })],
    budgetMB: 512,
    steps: [{ step: "evict", container: 2 }],
  },
  {
    name: "of warm containers one that can grow is put back, not the oldest",
    seats: [
      seat(1, { state: "warm", owner: "x", memoryMB: 128 }),
      seat(2, { state: "warm", owner: "y", memoryMB: 384 }),
    ],
    jobs: [job({ memoryMB: 512 })],
    budgetMB: 640,
    steps: [{ step: "recycle", container: 2 }],
  },
  {
    name: "a job that has just come waits for a running container of its kind rather than evict another kind's",
    seats: [seat(1, { state: "running" }), seat(2, { kind: "python" })],
    jobs: [job({ isPatient: true })],
    budgetMB: 512,
    steps: [],
  },
  {
    name: "a job of a kind of which nothing runs has no patience",
    seats: [seat(1, { state: "running", kind: "ruby" }), seat(2, { kind: "python" })],
    jobs: [job({ isPatient: true })],
    budgetMB: 512,
    steps: [{ step: "evict", container: 2 }],
  },
  {
    name: "nobody's container is evicted for a job while one of its kind is being made, however long that takes",
    seats: [seat(1, {}), seat(2, { kind: "python", state: "starting" })],
    jobs: [job({ kind: "python" }), job({ kind: "python" })],
    budgetMB: 512,
    steps: [],
  },
  {
    name: "nor while one is being rewound",
    seats: [seat(1, {}), seat(2, { kind: "python", state: "rewinding" })],
    jobs: [job({ kind: "python" }), job({ kind: "python" })],
    budgetMB: 512,
    steps: [],
  },
  {
    name: "nor while one is ordered for another that has come at the same moment",
    seats: [seat(1, { kind: "python" })],
    jobs: [job(), job({ owner: "b" })],
    budgetMB: 512,
    steps: [{ step: "create", job: 0, kind: "node", memoryMB: 256 }],
  },
  {
    name: "a job that waits for one of its kind lets later ones have what is idle of other kinds",
    seats: [
      seat(1, {}),
      seat(2, { kind: "python", state: "starting" }),
      seat(3, { kind: "php", state: "warm" }),
    ],
    jobs: [job({ kind: "python" }), job({ kind: "python" }), job(), job(), job({ kind: "php" })],
    budgetMB: 768,
    steps: [
      { step: "lease", job: 2, container: 1 },
      { step: "recycle", container: 3 },
    ],
  },
  {
    name: "so does one that waits for a running one",
    seats: [seat(1, {}), seat(2, { kind: "python", state: "running" })],
    jobs: [job({ kind: "python", isPatient: true }), job()],
    budgetMB: 512,
    steps: [{ step: "lease", job: 1, container: 1 }],
  },
  {
    name: "but what is free it keeps for itself, and its own kind queues behind it",
    seats: [
      seat(1, {}),
      seat(2, { kind: "python", state: "running" }),
      seat(3, { kind: "python", memoryMB: 128 }),
    ],
    jobs: [
      job({ kind: "python", memoryMB: 512, isPatient: true }),
      job({ kind: "python", memoryMB: 128 }),
      job({ memoryMB: 384 }),
      job({ kind: "php", memoryMB: 128 }),
    ],
    budgetMB: 768,
    steps: [],
  },
  {
    name: "a job whose patience is over lets nobody pass",
    seats: [
      seat(1, {}),
      seat(2, { kind: "python", state: "running" }),
      seat(3, { kind: "php", lastUsed: 9 }),
    ],
    jobs: [job({ kind: "python" }), job(), job({ kind: "php" })],
    budgetMB: 768,
    steps: [{ step: "evict", container: 1 }],
  },
  {
    name: "a job joins its owner's container in use rather than take a clean one",
    seats: [seat(1, { state: "running", owner: "a", spare: 2 }), seat(2, {})],
    jobs: [job({ concurrency: 3 })],
    steps: [{ step: "lease", job: 0, container: 1 }],
  },
  {
    name: "no more jobs join than have room, and only those of the owner and the kind",
    seats: [seat(1, { state: "running", owner: "a", spare: 1 })],
    jobs: [
      job({ owner: "b", concurrency: 2 }),
      job({ kind: "python", concurrency: 2 }),
      job({ concurrency: 2 }),
      job({ concurrency: 2 }),
    ],
    steps: [
      { step: "create", job: 0, kind: "node", memoryMB: 256 },
      { step: "create", job: 1, kind: "python", memoryMB: 256 },
      { step: "lease", job: 2, container: 1 },
      { step: "create", job: 3, kind: "node", memoryMB: 256 },
    ],
  },
  {
    name: "jobs that came together share the container that the first of them gets",
    seats: [seat(1, {}), seat(2, {})],
    jobs: [job({ concurrency: 2 }), job({ concurrency: 2 }), job({ concurrency: 2 }), job()],
    steps: [
      { step: "lease", job: 0, container: 2 },
      { step: "lease", job: 1, container: 2 },
      { step: "lease", job: 2, container: 1 },
      { step: "lease", job: 3, container: 1 },
    ],
  },
  {
    name: "jobs that may share count on one container under way, being put back, or made",
    seats: [
      seat(1, { state: "rewinding" }),
      seat(2, { state: "warm", owner: "x", kind: "python" }),
      seat(3, { state: "starting", kind: "php" }),
    ],
    jobs: [
      ...[job({ concurrency: 2 }), job({ concurrency: 2 })],
      ...[job({ kind: "python", concurrency: 2 }), job({ kind: "python", concurrency: 2 })],
      ...[job({ kind: "php", concurrency: 2 }), job({ kind: "php", concurrency: 2 })],
      ...[job({ kind: "ruby", concurrency: 2 }), job({ kind: "ruby", concurrency: 2 })],
    ],
    steps: [
      { step: "recycle", container: 2 },
      { step: "create", job: 6, kind: "ruby", memoryMB: 256 },
    ],
  },
  {
    name: "nobody joins past a job that waits for memory",
    seats: [seat(1, { state: "running", owner: "a", spare: 1 })],
    jobs: [job({ kind: "python" }), job({ concurrency: 2 })],
    budgetMB: 256,
    steps: [],
  },
  {
    name: "a job larger than the whole budget is refused and holds back nobody",
    seats: [seat(1, {})],
    jobs: [job({ memoryMB: 2048 }), job()],
    budgetMB: 1024,
    steps: [
      { step: "refuse", job: 0, why: "too-large" },
      { step: "lease", job: 1, container: 1 },
    ],
  },
  {
    name: "a Docker container that nobody has had yet takes a job of its image and size",
    seats: [
      seat(1, { kind: "blackbox", image: "other" }),
      seat(2, { kind: "blackbox", image: "php" }),
      seat(3, { kind: "blackbox", image: "php", memoryMB: 512 }),
      seat(4, { kind: "blackbox" }),
    ],
    jobs: [job({ kind: "blackbox", image: "php" }), job({ kind: "blackbox", image: "php" })],
    budgetMB: 2048,
    steps: [
      { step: "lease", job: 0, container: 2 },
      { step: "create", job: 1, kind: "blackbox", memoryMB: 256 },
    ],
  },
  {
    name: "a Docker container is its owner's for life: a new one is made for another owner, not this one put back",
    seats: [seat(1, { image: "php", state: "warm", owner: "b" })],
    jobs: [job({ image: "php" }), job({ image: "php", owner: "b" })],
    steps: [
      { step: "create", job: 0, kind: "node", memoryMB: 256 },
      { step: "lease", job: 1, container: 1 },
    ],
  },
  {
    name: "an idle Docker container makes way, whoever needs the room",
    seats: [seat(1, { image: "php", state: "warm", owner: "b", memoryMB: 512 }), seat(2, { lastUsed: 9 })],
    jobs: [job({ kind: "python" })],
    budgetMB: 768,
    steps: [{ step: "evict", container: 1 }],
  },
  {
    name: "a Docker container of the wrong size makes way rather than grow",
    seats: [seat(1, { image: "php", memoryMB: 512 })],
    jobs: [job({ image: "php", memoryMB: 768 })],
    steps: [{ step: "evict", container: 1 }],
  },
  {
    name: "nobody waits for a Docker container that another owner has, rather than have idle ones evicted",
    seats: [seat(1, { image: "php", state: "running", owner: "b" }), seat(2, {})],
    jobs: [job({ image: "php", isPatient: true })],
    budgetMB: 512,
    steps: [{ step: "evict", container: 2 }],
  },
  {
    name: "but its owner does",
    seats: [seat(1, { image: "php", state: "running", owner: "a" }), seat(2, {})],
    jobs: [job({ image: "php", isPatient: true })],
    budgetMB: 512,
    steps: [],
  },
  {
    name: "a job waits for a Docker container under way, but not for one of another image",
    seats: [seat(1, { image: "php", state: "starting" })],
    jobs: [job({ image: "php" }), job({ image: "perl" })],
    steps: [{ step: "create", job: 1, kind: "node", memoryMB: 256 }],
  },
  {
    name: "memory that is lent is free, and whoever waits for its container goes on waiting for that",
    seats: [seat(1, { image: "php", state: "starting", isLent: true, memoryMB: 1024 })],
    jobs: [job({ image: "php", memoryMB: 1024 }), job()],
    withoutDocker: true,
    steps: [{ step: "create", job: 1, kind: "node", memoryMB: 256 }],
  },
  {
    name: "without Docker a job that needs a new container of its is refused, and holds back nobody",
    seats: [seat(1, { state: "running", memoryMB: 768 })],
    jobs: [job({ image: "php", memoryMB: 512 }), job()],
    withoutDocker: true,
    steps: [
      { step: "refuse", job: 0, why: "no-docker" },
      { step: "create", job: 1, kind: "node", memoryMB: 256 },
    ],
  },
  {
    name: "without Docker those that are there go on serving their owners",
    seats: [
      seat(1, { image: "php", state: "warm", owner: "a" }),
      seat(2, { image: "perl", state: "running", owner: "b" }),
    ],
    jobs: [job({ image: "php" }), job({ image: "php" }), job({ image: "perl", owner: "b" })],
    withoutDocker: true,
    steps: [{ step: "lease", job: 0, container: 1 }],
  },
  {
    name: "without Docker none of its containers makes way, nor is what it is to remove counted on",
    seats: [
      seat(1, { image: "php", state: "warm", owner: "b" }),
      seat(2, { image: "php", state: "removing" }),
      seat(3, { kind: "python" }),
    ],
    jobs: [job()],
    budgetMB: 768,
    withoutDocker: true,
    steps: [{ step: "evict", container: 3 }],
  },
  {
    name: "no more lean containers are made than there can be, whatever memory is free",
    seats: [seat(1, { state: "running" })],
    jobs: [job(), job({ owner: "b" }), job({ kind: "php", image: "php" })],
    leanMost: 2,
    steps: [{ step: "create", job: 0, kind: "node", memoryMB: 256 }],
  },
  {
    name: "for one that there cannot be beside those that are idle, the lean one used longest ago makes way, and one alone",
    seats: [
      ...[seat(1, { image: "php", state: "warm", owner: "b" }), seat(2, { lastUsed: 5 })],
      ...[seat(3, { lastUsed: 4 }), seat(4, { state: "running" })],
    ],
    jobs: [job({ kind: "python", memoryMB: 128 }), job({ kind: "python", memoryMB: 128 }), job()],
    budgetMB: 4096,
    leanMost: 3,
    steps: [{ step: "evict", container: 3 }],
  },
  {
    name: "none makes way where one leaves already, nor for one that Docker runs",
    seats: [seat(1, {}), seat(2, { state: "removing" })],
    jobs: [job({ kind: "python" }), job({ kind: "php", image: "php" })],
    leanMost: 2,
    steps: [],
  },
  {
    name: "where there can be no more, one that is warm for another owner is put back, and one that is idle grows",
    seats: [seat(1, { state: "warm", owner: "b" }), seat(2, { kind: "python", memoryMB: 128 })],
    jobs: [job(), job({ kind: "python" })],
    leanMost: 2,
    steps: [
      { step: "recycle", container: 1 },
      { step: "lease", job: 1, container: 2 },
    ],
  },
];

describe("the schedule", () => {
  for (const { name, seats, jobs, budgetMB = 1024, withoutDocker = false, leanMost, steps } of rows) {
    it(name, () => {
      const outlook = { isDockerThere: !withoutDocker, ...(leanMost !== undefined && { leanMost }) };
      expect(plan(seats, jobs, budgetMB, outlook).steps).to.deep.equal(steps);
    });
  }
});

describe("the first job without room", () => {
  it("is named, also behind others that only wait for a container under way", () => {
    const seats = [
      seat(1, { state: "starting", memoryMB: 512 }),
      seat(2, { state: "running", memoryMB: 512 }),
    ];
    const python = job({ kind: "python" });
    const nothing = { steps: [], isOneComing: false };
    expect(plan(seats, [job(), python, job()], 1024)).to.deep.equal({ ...nothing, blocked: 1 });
    expect(plan(seats, [job()], 1024)).to.deep.equal({ ...nothing, blocked: undefined });
  });

  it("is told apart where one of its kind is being made or rewound", () => {
    for (const state of ["starting", "rewinding"] as const) {
      const seats = [seat(1, { state, memoryMB: 512 }), seat(2, { state: "running", memoryMB: 512 })];
      const { blocked, isOneComing } = plan(seats, [job(), job()], 1024);
      expect([blocked, isOneComing], state).to.deep.equal([1, true]);
    }
  });
});

describe("the places of a pool", () => {
  const ready = [
    ...[seat(1, {}), seat(2, { state: "warm", owner: "a" }), seat(3, { state: "rewinding" })],
    ...[seat(4, { state: "starting" }), seat(5, { state: "tainted" }), seat(6, { state: "removing" })],
  ];
  const running = [seat(7, { state: "running" }), seat(8, { state: "running", spare: 3 })];

  it("are those that are idle or being rewound, and as many as can be made at a time", () => {
    expect(placesIn(ready, 4)).to.equal(7);
    expect(placesIn([], 4)).to.equal(4);
  });

  it("are those beside neighbours, and one behind each container that runs where that is more", () => {
    expect(placesIn(running, 4)).to.equal(7);
    expect(placesIn(running, 1)).to.equal(5);
  });
});
