/** Groups sales by region and finds each region's best seller. */
const _ = require("lodash");

function bestSellers({ sales }) {
  const regions = _(sales)
    .groupBy("region")
    .mapValues((rows) => ({
      total: _.sumBy(rows, "amount"),
      best: _(rows)
        .groupBy("product")
        .mapValues((r) => _.sumBy(r, "amount"))
        .toPairs()
        .maxBy(1)[0],
    }))
    .value();
  return { regions, top: _.maxBy(_.keys(regions), (region) => regions[region].total) };
}

module.exports.bestSellers = bestSellers;
