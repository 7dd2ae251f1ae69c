const calls = ["shmget", "shmat", "shmctl", "semget", "semop", "semctl", "msgget", "msgsnd", "msgctl"];

function leave(mark) {
  const number = parseInt(mark.slice(0, 6), 16);
  return calls.map((call) => attempt(call, number, 1, 0o1666, 0, 0));
}

function read() {
  const fs = require("node:fs");
  return ["shm", "sem", "msg"].map((kind) =>
    fs.readFileSync(`/proc/sysvipc/${kind}`, "utf8").split("\n").slice(1),
  );
}

module.exports = { leave, read };
