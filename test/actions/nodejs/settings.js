/** Answers from its environment: init parameters and what OpenWhisk tells every activation. */
const stage = process.env.STAGE;

function main(params) {
  return {
    stage,
    limits: JSON.parse(process.env.LIMITS),
    verbose: process.env.VERBOSE,
    activation: process.env.__OW_ACTIVATION_ID !== undefined,
    deadline: Number(process.env.__OW_DEADLINE) > 0,
    params: Object.keys(params).sort(),
  };
}
