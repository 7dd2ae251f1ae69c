// The activations of a soak run: most do little, some leave descriptors, files, timers, threads, children and memory.

import type { Family } from "../corpus.ts";

export interface Mix {
  readonly actions: Readonly<Record<string, string>>;
  /** Names of actions, one after the other and then again from the start. */
  readonly order: readonly string[];
}

const seldom = ["leaves", "memory", "threads", "prints"];

/** Of fifty, forty-six do next to nothing. */
const order = Array.from({ length: 50 }, (_, i) => seldom[i / 10 - 1] ?? "tiny");

export const mixes: Readonly<Record<Family, Mix>> = {
  nodejs: {
    order,
    actions: {
      tiny: "function main({ name = 'stranger' }) { return { greeting: 'Hello ' + name }; }",
      leaves: `const fs = require('fs'), net = require('net');
        function main() {
          globalThis.left = fs.openSync('/dev/null');
          for (let i = 0; i < 10; i++) fs.writeFileSync('/tmp/left' + i, Buffer.alloc(10_000));
          setInterval(() => {}, 10); process.umask(0); process.chdir('/tmp'); process.on('SIGUSR2', () => {});
          return new Promise((resolve) => { const server = net.createServer().listen(0, '127.0.0.1', () => resolve({ port: server.address().port })); });
        }`,
      memory: `const zlib = require('zlib'), crypto = require('crypto');
        function main() {
          globalThis.left = Array.from({ length: 20_000 }, (_, i) => ({ ['key' + i % 100]: 'value' + i }));
          return { hash: crypto.createHash('sha256').update(zlib.gzipSync(Buffer.alloc(2_000_000, 'x'))).digest('hex') };
        }`,
      threads: `const { Worker } = require('worker_threads');
        async function main() {
          const worker = new Worker('setInterval(() => {}, 10)', { eval: true });
          await new Promise((online) => worker.once('online', online));
          require('child_process').spawn('/bin/sleep', ['1000'], { stdio: 'ignore' });
          return {};
        }`,
      prints:
        "function main() { for (let i = 0; i < 100; i++) console.log('line', i); console.error('done'); return {}; }",
    },
  },
  python: {
    order,
    actions: {
      tiny: "def main(args):\n    return {'greeting': 'Hello ' + args.get('name', 'stranger')}\n",
      leaves: `
import builtins, os, signal, socket
def main(args):
    builtins.left = [os.open('/dev/null', os.O_RDONLY), socket.create_server(('127.0.0.1', 0))]
    for i in range(10):
        with open(f'/tmp/left{i}', 'wb') as file: file.write(bytes(10_000))
    signal.setitimer(signal.ITIMER_REAL, 1000); os.umask(0); os.chdir('/tmp'); signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    return {}
`,
      memory: `
import builtins, hashlib, zlib
def main(args):
    builtins.left = [{f'key{i % 100}': f'value{i}'} for i in range(20_000)]
    return {'hash': hashlib.sha256(zlib.compress(b'x' * 2_000_000)).hexdigest()}
`,
      threads: `
import subprocess, threading
def main(args):
    for _ in range(3): threading.Thread(target=threading.Event().wait, daemon=True).start()
    subprocess.Popen(['/bin/sleep', '1000'])
    return {}
`,
      prints:
        "import sys\ndef main(args):\n    for i in range(100): print('line', i)\n    print('done', file=sys.stderr)\n    return {}\n",
    },
  },
  ruby: {
    order,
    actions: {
      tiny: "def main(args)\n  { greeting: 'Hello ' + args.fetch('name', 'stranger') }\nend\n",
      leaves: `
require 'socket'
def main(args)
  $left = [File.open('/dev/null'), TCPServer.new('127.0.0.1', 0)]
  10.times { |i| File.binwrite("/tmp/left#{i}", "\\0" * 10_000) }
  File.umask(0); Dir.chdir('/tmp'); Signal.trap('USR2', 'IGNORE')
  {}
end
`,
      memory: `
require 'digest'
require 'zlib'
def main(args)
  $left = Array.new(20_000) { |i| { "key#{i % 100}" => "value#{i}" } }
  { hash: Digest::SHA256.hexdigest(Zlib.deflate('x' * 2_000_000)) }
end
`,
      threads: `
def main(args)
  3.times { Thread.new { sleep } }
  spawn('/bin/sleep', '1000')
  {}
end
`,
      prints: "def main(args)\n  100.times { |i| puts \"line #{i}\" }\n  warn 'done'\n  {}\nend\n",
    },
  },
};
