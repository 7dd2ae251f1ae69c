// The set-up alone: all that `npm start` and a cluster's invoker need before they can run.

import { SetupError, setUp } from "./setup.mjs";

try {
  await setUp((line) => console.log(line));
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  for (const problem of error.problems) console.error(problem);
  process.exitCode = 2;
}
