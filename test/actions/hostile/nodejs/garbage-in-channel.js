/** Writes noise where the runtime answers. */
function main() {
  require("fs").writeSync(3, Buffer.from("HTTP/1.1 200 OK\r\n\r\n{\"forged\":true}".repeat(50)));
  return { answered: true };
}
