# Leaves a secret on the heap, in symbols, in compiled code, in a library's memory and on the stack.
require 'digest'
require 'fiddle'
require 'zlib'

def recurse(depth, text)
  depth.zero? ? text.size : recurse(depth - 1, text + (depth % 10).to_s) + 1
end

def main(args)
  marker = args['marker']
  copies = Array.new(2000) { |i| "#{marker}#{i}" }
  $kept = [copies, copies.map(&:to_sym), copies.to_h { |copy| [copy, copy.b] }, RubyVM::InstructionSequence.compile(marker.inspect, marker)]
  $kept << Fiddle::Pointer.malloc(marker.size * 1000).tap { |memory| memory[0, marker.size * 1000] = marker * 1000 }
  $kept << Zlib::Deflate.new.tap { |stream| stream << marker * 1000 } << Digest::SHA256.new.update(marker)
  define_singleton_method("left #{marker}") { marker }
  ENV['LEFT'] = marker
  { left: recurse(300, marker).positive? }
end
