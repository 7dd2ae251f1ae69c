const [F_GETOWN, F_SETOWN, F_GETSIG, F_SETSIG, F_SETOWN_EX] = [9, 8, 11, 10, 15];
const [FIOASYNC, FIOSETOWN, SIOCSPGRP] = [0x5452, 0x8901, 0x8902];

function leave() {
  const two = put([2, 0, 0, 0, 2, 0, 0, 0]);
  const calls = [
    ["fcntl", F_SETOWN, 2],
    ["fcntl", F_SETSIG, 34],
    ["fcntl", F_SETOWN_EX, two],
  ];
  calls.push(["ioctl", FIOASYNC, two], ["ioctl", FIOSETOWN, two], ["ioctl", SIOCSPGRP, two]);
  return calls.flatMap(([call, ...rest]) => [1, 3].map((number) => attempt(call, number, ...rest)));
}

function read() {
  return [...Array(20).keys()].map((number) =>
    [F_GETOWN, F_GETSIG].map((command) => act("fcntl", number, command, 0)),
  );
}

module.exports = { leave, read };
