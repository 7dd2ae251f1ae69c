/** Never finishes loading. */
for (;;);
function main() {}
