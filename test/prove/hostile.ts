// Gives hostile actions the library of test/prove/hostile.c: what languages have no words for.

import { readFileSync } from "node:fs";
import { nativeFolder } from "../../restorer/index.ts";
import type { Family } from "../corpus.ts";

const library = readFileSync(`${nativeFolder}hostile.node`).toString("base64");

/**
 * Source text to be put before an action's own. The library is loaded by the first act, and a file only for a moment. Defines
 *
 *     act(name, ...integers)   an act of the library, or a system call by its name: a result, or the negated error number. Throws
 *                              where there is neither
 *     attempt(name, ...rest)   the same, or a function with its arguments that stands for the call of that name, as a message
 *                              tells of what must be refused. A child that it makes ends at once
 *     word(result)             what a message's `leave` says of such a result: "left", or the error's name
 *     put(bytes, at)           lays bytes into the scratch area at an offset (0), and gives their address
 *     take(length, at)         the bytes that lie there
 */
export const hostilePrelude: Readonly<Record<Family, string>> = {
  nodejs: `let hostileAct;
const act = (...words) => {
  hostileAct ??= (() => {
    const fs = require('fs'), file = '/tmp/hostile.node';
    fs.writeFileSync(file, Buffer.from('${library}', 'base64'));
    try { return require(file); } finally { fs.unlinkSync(file); }
  })();
  return hostileAct(...words);
};
const word = (result) =>
  result >= 0 ? 'left' : Object.entries(require('os').constants.errno).find(([, number]) => number === -result)[0];
const attempt = (name, ...rest) => {
  if (typeof rest[0] !== 'function') return { call: [name, ...rest], result: act(name, ...rest) };
  try {
    rest[0](...rest.slice(1));
    return { call: [name], result: 0 };
  } catch (error) {
    if (error.errno === undefined) throw error;
    return { call: [name], result: error.errno };
  }
};
const put = (bytes, at = 0) => {
  const words = Buffer.concat([Buffer.from(bytes), Buffer.alloc(3)]), address = act('memory') + at;
  for (let i = 0; i + 4 <= words.length; i += 4) act('poke', address + i, words.readInt32LE(i));
  return address;
};
const take = (length, at = 0) => {
  const words = Buffer.alloc(length + 3);
  for (let i = 0; i < length; i += 4) words.writeInt32LE(act('peek', act('memory') + at + i) | 0, i);
  return words.subarray(0, length);
};
`,
  python: `import base64 as _base64, ctypes as _ctypes, errno as _errno, os as _os
def _load():
    with open('/tmp/hostile.node', 'wb') as file: file.write(_base64.b64decode('${library}'))
    try: return _ctypes.CDLL('/tmp/hostile.node')
    finally: _os.unlink('/tmp/hostile.node')
_act = None
def act(name, *numbers):
    global _act
    if _act is None:
        _act = _load().act
        _act.restype = _ctypes.c_long
    result = _act(name.encode(), *(_ctypes.c_long(number) for number in (*numbers, *[0] * (6 - len(numbers)))))
    if result == -2**63: raise ValueError(f'no act and no system call is named {name}')
    return result
def attempt(name, *rest):
    if not callable(next(iter(rest), None)): return {'call': [name, *rest], 'result': _alone(act(name, *rest), name)}
    try:
        rest[0](*rest[1:])
        return {'call': [name], 'result': 0}
    except OSError as error: return {'call': [name], 'result': -error.errno}
def _alone(result, name):
    if result == 0 and name.startswith('clone'): _os._exit(0)
    return result
def word(result): return 'left' if result >= 0 else _errno.errorcode[-result]
def put(data, at=0):
    _ctypes.memmove(act('memory') + at, bytes(data), len(data))
    return act('memory') + at
def take(length, at=0): return _ctypes.string_at(act('memory') + at, length)
`,
  ruby: `require 'fiddle'
def hostile_library
  File.binwrite('/tmp/hostile.node', '${library}'.unpack1('m0'))
  Fiddle.dlopen('/tmp/hostile.node')
ensure
  File.unlink('/tmp/hostile.node')
end
def act(name, *numbers)
  $hostile_act ||= Fiddle::Function.new(hostile_library['act'], [Fiddle::TYPE_VOIDP] + [Fiddle::TYPE_LONG] * 6, Fiddle::TYPE_LONG, need_gvl: true)
  result = $hostile_act.call(name, *numbers, *[0] * (6 - numbers.size))
  result == -2**63 ? raise(ArgumentError, "no act and no system call is named #{name}") : result
end
def attempt(name, *rest)
  unless rest.first.respond_to?(:call)
    result = act(name, *rest)
    exit!(0) if result == 0 && name.start_with?('clone')
    return { call: [name, *rest], result: result }
  end
  rest.first.call(*rest.drop(1))
  { call: [name], result: 0 }
rescue SystemCallError => error
  { call: [name], result: -error.errno }
end
def word(result)
  result >= 0 ? 'left' : Errno.constants.find { |name| Errno.const_get(name)::Errno == -result }.to_s
end
def put(bytes, at = 0)
  Fiddle::Pointer.new(act('memory') + at)[0, bytes.bytesize] = bytes.b
  act('memory') + at
end
def take(length, at = 0)
  Fiddle::Pointer.new(act('memory') + at)[0, length]
end
`,
};
