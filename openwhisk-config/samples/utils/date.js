// Tells the date and the time.
function main() {
  return { date: new Date() };
}
