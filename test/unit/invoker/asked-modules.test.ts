// Which modules an action asks for, as far as its source tells, and what its annotation may say instead.

import { expect } from "chai";
import { modulesOfAnnotation, modulesOfSource } from "../../../invoker/asked-modules.ts";

const python: readonly (readonly [string, string, readonly string[]])[] = [
  ["an import", "import numpy", ["numpy"]],
  ["several under other names", "import numpy as np, pandas  as pd", ["numpy", "pandas"]],
  ["a module of a package, with that", "import a.b.c", ["a", "a.b", "a.b.c"]],
  [
    "what may be a module of a package",
    "from scipy import linalg as la, stats",
    ["scipy", "scipy.linalg", "scipy.stats"],
  ],
  ["names over several lines", "from a.b import (\n  c, # see d\n  e,\n)", ["a", "a.b", "a.b.c", "a.b.e"]],
  ["everything of a module", "from numpy import *", ["numpy"]],
  ["an import in a function", "def main(args):\n    import numpy\n    return {}", ["numpy"]],
  [
    "an import after a colon, and after a semicolon",
    "try: import a\nexcept ImportError: import b; import c",
    ["a", "b", "c"],
  ],
  ["an import that goes on in the next line", "import a, \\\n  b", ["a", "b"]],
  ["nothing of the module's own package", "from . import a\nfrom .b import c", []],
  ["nothing in comments", "# import numpy\nx = 1 # import a", []],
  ["nothing in strings", "x = 'import a'\ny = \"\"\"\nimport numpy\n\"\"\"\nz = f'''from a import b'''", []],
  ["an import after a string that ends in a backslash", "x = 'a\\\\'\nimport numpy", ["numpy"]],
  ["an import after an apostrophe in a comment", "# don't\nimport numpy\n# can't", ["numpy"]],
  ["nothing where there is none", "important = reimport = 1\ndef f():\n    yield from g\n", []],
  ["nothing that changes where modules are found", "import sys\nsys.path.insert(0, '/x')\nimport numpy", []],
  ["nothing that looks at what is loaded", "import sys, numpy\nx = 'numpy' in sys.modules", []],
  [
    "nothing that sets what a module reads when it is imported",
    "import os\nos.environ['OMP_NUM_THREADS'] = '1'\nimport numpy",
    [],
  ],
  [
    "an import beside what only reads the environment",
    "import os, numpy\nx = os.environ['X'] == '1'",
    ["os", "numpy"],
  ],
  [
    "nothing that may set what a module reads",
    "import os, numpy\nos.environ[names[0]] = '1'\nos.environ['A",
    [],
  ],
  ["what stands in a text that is never closed", "import a\nx = 'y\nz = '''\nimport b", ["a", "b"]],
  [
    "nothing by names that are too long",
    `import a, ${"b".repeat(101)}\nfrom ${"c.".repeat(50)}d import e`,
    ["a"],
  ],
  ...[
    "os.environ['PYTHONPATH'] += ':/x'",
    "os.environ |= {'OMP_NUM_THREADS': '1'}",
    "os.environ = {}",
    "del os.environ['MPLBACKEND']",
    "os.environ.popitem()",
  ].map((way) => [`nothing beside ${way}`, `import os\n${way}\nimport numpy`, []] as const),
  ["nothing that imports in ways of its own", "import importlib, numpy\nimportlib.reload(numpy)", []],
];

const nodejs: readonly (readonly [string, string, readonly string[]])[] = [
  ["what is required", "const a = require('openwhisk'), b = require(\"@a/b\")", ["openwhisk", "@a/b"]],
  ["what is required in a function", "function main() { return require( `uuid` ).v4(); }", ["uuid"]],
  [
    "what is imported",
    "import a from 'a';\nimport * as b from \"b\";\nimport 'c';\nconst d = await import('d');",
    ["a", "b", "c", "d"],
  ],
  ["modules of Node's by their short names", "require('node:fs/promises')", ["fs/promises"]],
  ["a file of a package, and not the package", "require('lodash/fp')", ["lodash/fp"]],
  ["nothing in comments", "// require('a')\n/* import 'b'\n*/ const x = 'https://c'; require('d')", ["d"]],
  ["nothing that is computed", "const name = 'a'; require(name)", []],
  ["nothing of a name that only ends so", "notrequire('a')", []],
  ["nothing that looks at what is loaded", "delete require.cache[require.resolve('a')]; require('a')", []],
  [
    "nothing that sets what a module reads when it is required",
    "process.env.DEBUG = '*'; require('debug')",
    [],
  ],
  [
    "what is required beside what only reads the environment",
    "if (process.env.A === 'b') require('c')",
    ["c"],
  ],
  ["what stands in what only looks like a comment", "x.split(/[/*]/); require('a')", ["a"]],
  ["nothing by names that are too long", `require('a'); require('${"b".repeat(101)}')`, ["a"]],
  ["nothing that may set what a module reads", "process.env[names[0]] = '*'; require('a')", []],
  ...[
    "process.env.DEBUG ??= '*'",
    "process.env['DEBUG'] ||= '*'",
    "process.env.NODE_PATH += ':/x'",
    "process.env = {}",
    "delete process.env.DEBUG",
    "Object.assign(process.env, { DEBUG: '*' })",
  ].map((way) => [`nothing beside ${way}`, `${way}; require('debug')`, []] as const),
  ["nothing that requires in ways of its own", "require('module')._load('a'); require('b')", []],
];

/** What is looked through for minutes where places are looked at again and again. */
const repeated = {
  python: [
    ...[
      "\\'''\n",
      '\\"',
      "environ[",
      "from a import (\n",
      "a",
      "from ",
      "import ",
      "environ ",
      "a.",
      "#",
      "del ",
    ],
    ..."\"'\\\n([ ",
  ],
  nodejs: [
    ...[
      "\\`",
      "/*",
      "//",
      "*/",
      "process.env[",
      "process.env.",
      "require( ",
      "import ",
      "from '",
      "a",
      "delete ",
      "delete process.",
    ],
    ..."\"'`\\\n([ ",
  ],
};

for (const [kind, rows, parts] of [
  ["python:3", python, repeated.python],
  ["nodejs:20", nodejs, repeated.nodejs],
] as const)
  describe(`a source of ${kind} asks for`, () => {
    for (const [what, source, expected] of rows)
      it(what, () => expect([...modulesOfSource(kind, source).modules]).to.deep.equal(expected));

    it("nothing where it is too long to be looked through", () => {
      const source = kind === "python:3" ? "import numpy\n" : "require('a')\n";
      expect(modulesOfSource(kind, source + " ".repeat(2 ** 18)).modules.size).to.equal(0);
    });

    for (const part of parts)
      it(`no name that is too long, where it is ${JSON.stringify(part)} again and again`, () => {
        for (const [start, end] of [
          ["", "]"],
          ["import ", ""],
          ["from ", " import b"],
        ] as const) {
          const times = Math.floor((2 ** 18 - start.length - end.length) / part.length);
          const { modules } = modulesOfSource(kind, start + part.repeat(times) + end);
          expect([...modules].every((name) => name.length <= 100)).to.equal(true);
        }
      });
  });

describe("of what a source asks for, it imports for sure", () => {
  it("modules in Python, and no names that may be some", () => {
    const source = "import a.b, a.b\nfrom c.d import e";
    expect(modulesOfSource("python:3", source).imports).to.have.members(["a.b", "c.d"]);
  });

  it("all in Node, each once", () => {
    const source = "require('a'); require('@d/e/f'); import('a')";
    expect(modulesOfSource("nodejs:20", source).imports).to.deep.equal(["a", "@d/e/f"]);
  });
});

describe("a source of another kind asks for", () => {
  it("nothing", () => expect(modulesOfSource("ruby:3", "require('a')").modules.size).to.equal(0));
});

describe("an annotation asks for", () => {
  for (const [what, value, expected] of [
    ["the names of a list", ["numpy", 7, "pandas"], ["numpy", "pandas"]],
    ["the names of a text", "numpy, pandas scipy.linalg", ["numpy", "pandas", "scipy.linalg"]],
    ["nothing by an empty text", "", []],
  ] as const)
    it(what, () => {
      expect(modulesOfAnnotation(value)).to.deep.equal({ modules: new Set(expected), imports: expected });
    });

  it("whatever the source does, where it says neither", () => {
    for (const value of [undefined, null, true, { a: 1 }])
      expect(modulesOfAnnotation(value)).to.equal(undefined);
  });
});
