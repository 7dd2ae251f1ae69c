/** Reads a table of expenses as CSV and sums it up by month and category. */
const { parse } = require("csv-parse/sync");

exports.main = ({ csv, delimiter = ";" }) => {
  const rows = parse(csv, { columns: true, delimiter, skip_empty_lines: true, trim: true });
  const report = {};
  for (const { date, category, amount } of rows) {
    const month = date.slice(0, 7);
    report[month] ??= {};
    report[month][category] = Math.round(((report[month][category] ?? 0) + Number(amount)) * 100) / 100;
  }
  return { rows: rows.length, report };
};
