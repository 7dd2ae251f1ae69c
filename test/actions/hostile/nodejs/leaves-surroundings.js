/** Leaves another working directory, file mode mask, environment, title and arguments. */
function main({ marker }) {
  process.env.LEFT = marker;
  process.env.PATH = "/nowhere";
  process.env.LD_PRELOAD = "/tmp/left.so";
  process.env.NODE_OPTIONS = "--require=/tmp/left.js";
  delete process.env.HOME;
  process.umask(0o777);
  process.title = "left";
  process.argv.push(marker);
  process.exitCode = 9;
  require("module").globalPaths.push("/tmp/left");
  require("v8").setFlagsFromString("--stack-size=500");
  require("dns").setServers(["127.0.0.9"]);
  process.chdir("/tmp");
  return { left: true };
}
