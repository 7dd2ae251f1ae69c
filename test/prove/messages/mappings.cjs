function leave() {
  const lengths = Array.from({ length: 40 }, (_, i) => (i + 1) * 4096);
  return word(Math.min(...lengths.map((length) => act("mmap", 0, length, 1 + (length & 2), 0x22, -1, 0))));
}

/** The kernel's own choice of an address is what shows best which others are taken. */
function read() {
  const at = act("mmap", 0, 4096, 1, 0x22, -1, 0);
  act("munmap", at, 4096);
  return at;
}

module.exports = { leave, read };
