/** Answers, and lets a promise that nobody watches fail afterwards. */
function main() {
  new Promise((_, reject) => setTimeout(() => reject(new Error("too late")), 20));
  return { answered: true };
}
