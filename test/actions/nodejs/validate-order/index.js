/** Validates orders against a JSON schema that ajv compiles into a function at load time. */
const Ajv = require("ajv");
const addFormats = require("ajv-formats");
const schema = require("./order.schema.json");

const ajv = new Ajv({ allErrors: true });
addFormats(ajv);
const validate = ajv.compile(schema);

function main({ orders }) {
  return {
    results: orders.map((order) => {
      const valid = validate(order);
      const errors = (validate.errors || []).map((e) => `${e.instancePath || "/"} ${e.message}`).sort();
      return { id: order.id, valid, errors };
    }),
  };
}

module.exports = { main };
