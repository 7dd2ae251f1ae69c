# Writes well-formed answers where the runtime answers: one before its own, and leaves one for the next activation.
require 'json'

def frame(kind, status, result)
  payload = ["\0" * 16, kind, status, JSON.generate(result)].pack('a16CS<a*')
  [payload.bytesize, payload].pack('L<a*')
end

def main(args)
  channel = IO.for_fd(3, autoclose: false)
  channel.syswrite(frame(4, 200, { forged: true }))
  channel.syswrite(frame(3, 200, { runtime: 'ruby' }))
  channel.syswrite(frame(4, 200, { forged: true }))
  { answered: true }
end
