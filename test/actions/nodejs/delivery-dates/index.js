/** Works out delivery dates over weekends, time zones and the change of the clocks. */
const dayjs = require("dayjs");
dayjs.extend(require("dayjs/plugin/utc"));
dayjs.extend(require("dayjs/plugin/timezone"));
dayjs.extend(require("dayjs/plugin/isoWeek"));
require("dayjs/locale/de");

exports.main = ({ ordered, workingDays, zone = "Europe/Berlin" }) => {
  let day = dayjs.utc(ordered);
  for (let left = workingDays; left > 0; ) {
    day = day.add(1, "day");
    if (day.isoWeekday() <= 5) left--;
  }
  const there = dayjs.tz(day.format("YYYY-MM-DD HH:mm"), zone);
  return {
    day: there.locale("de").format("dddd, D. MMMM YYYY"),
    iso: there.format(),
    week: there.isoWeek(),
    utc: there.utc().format(),
  };
};
