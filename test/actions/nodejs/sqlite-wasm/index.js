/** Keeps a ledger in SQLite, compiled to WebAssembly. */
const initSqlJs = require("sql.js");

exports.main = async ({ bookings }) => {
  const SQL = await initSqlJs();
  const db = new SQL.Database();
  db.run("CREATE TABLE booking (account TEXT, cents INTEGER)");
  const insert = db.prepare("INSERT INTO booking VALUES (?, ?)");
  for (const { account, cents } of bookings) insert.run([account, cents]);
  insert.free();
  const [{ columns, values }] = db.exec(
    "SELECT account, sum(cents) AS balance, count(*) AS n FROM booking GROUP BY account ORDER BY balance DESC, account",
  );
  const bytes = db.export().length;
  db.close();
  return { columns, values, bytes };
};
