# Spreads the mark over every place that a Ruby process has; given pieces of a mark, looks for it instead.
require 'digest'
require 'openssl'
require 'socket'
require 'stringio'
require 'tempfile'
require 'yaml'
require 'zlib'

WRITTEN = '@MARK@'

# Kept where nothing of it is collected.
$kept = {}

def in_heap(mark, text)
  $kept.update(
    narrow: "#{text}!", wide: "#{text}\u2192", wider: text.encode('UTF-32LE'), utf16: text.encode('UTF-16LE'), upper: text.upcase,
    reversed: mark.reverse, reversed_text: mark.reverse.unpack1('H*'), backwards: text.reverse,
    base64: (0..2).map { |before| ["\0" * before + mark].pack('m0') }, url: [mark].pack('m0').tr('+/', '-_'),
    many: mark * 1000, big: text.hex, buffer: StringIO.new(mark), symbol: text.to_sym, frozen: -text
  )
  $kept[text] = { "key#{text}".to_sym => -> { text } }
  $kept[:struct] = Struct.new(:mark, :text).new(mark, text)
  Object.const_set("Class#{text}", Class.new { define_method("method#{text}") { mark } })
  Array.new(1000) { |number| "#{text}#{number}" }
  raise ArgumentError, text
rescue ArgumentError => error
  $kept[:trace] = [error, error.backtrace_locations]
end

def in_code(mark, text)
  eval("def method_#{text}(argument = '#{text}') [argument, #{text.hex}, :#{'m' + text}, #{text.dump}] end")
  send("method_#{text}")
  $kept[:compiled] = RubyVM::InstructionSequence.compile("'#{text}' + \"#{text}\"", text).tap(&:eval)
  $kept[:binding] = eval("m#{text} = '#{text}'; binding")
  $kept[:pattern] = Regexp.new(text).tap { |pattern| pattern.match(text * 2) }
  Object.instance_variable_set("@m#{text}", text)
  Thread.current[text] = text
  Thread.current.thread_variable_set(text, mark)
end

def in_libraries(mark, text)
  $kept[:digest] = Digest::SHA256.new.update(mark)
  $kept[:hmac] = OpenSSL::HMAC.new(mark, 'SHA256').update(mark)
  $kept[:cipher] = OpenSSL::Cipher.new('aes-256-cbc').encrypt.tap { |cipher| cipher.key = mark }
  $kept[:context] = OpenSSL::SSL::SSLContext.new.tap { |context| context.alpn_protocols = [text] }
  $kept[:zlib] = Zlib::Deflate.new.tap { |stream| stream << mark * 10 }
  $kept[:yaml] = [YAML.load(YAML.dump('mark' => text)), JSON.parse(JSON.generate(text => [text]))]
  ENV['CANARY_TOO'] = [mark].pack('m0')
  puts text
  warn text
  STDOUT.sync = false
  print text
end

def in_files(mark, text)
  File.binwrite('/tmp/content', mark)
  File.binwrite('/dev/shm/content', $kept[:utf16])
  Dir.mkdir("/tmp/#{text}")
  File.symlink(text, '/tmp/link')
  File.write("/home/action/m#{text}.rb", "MARK = '#{text}'\n")
  $LOAD_PATH.unshift('/home/action')
  require "m#{text}"
  $kept[:file] = Tempfile.new(text).tap { |file| file.write(mark) }.tap(&:flush)
  $kept[:deleted] = File.open('/tmp/gone', 'w+').tap { |file| file.syswrite(mark) }
  File.unlink('/tmp/gone')
  Dir.chdir("/tmp/#{text}")
end

def in_processes(mark, text)
  reading, writing = IO.pipe
  $kept[:child] = spawn({ 'CANARY' => text }, ['/bin/sleep', text], '1000', in: reading)
  writing.syswrite(mark)
  $kept[:pipe] = [reading, writing]
  started = Queue.new
  $kept[:thread] = Thread.new(text) do |hidden|
    Thread.current[:mark] = hidden
    started << true
    sleep
  end
  $kept[:thread].name = text
  started.pop
  $kept[:fiber] = Fiber.new { |hidden| Fiber.yield(hidden + text) }.tap { |fiber| fiber.resume(text) }
end

def in_sockets(mark, text)
  listener = TCPServer.new('127.0.0.1', 0)
  client = TCPSocket.new('127.0.0.1', listener.addr[1])
  client.write(mark)
  here = UNIXServer.new("/tmp/#{text[0, 40]}.sock")
  there = UNIXSocket.new("/tmp/#{text[0, 40]}.sock")
  there.write(mark)
  datagram = UDPSocket.new.tap { |socket| socket.bind('127.0.0.1', 0) }
  datagram.send(mark, 0, '127.0.0.1', datagram.addr[1])
  $kept[:sockets] = [listener, client, listener.accept, here, there, here.accept, datagram]
end

def down_the_stack(text, depth)
  one, two = text, text + depth.to_s
  depth.zero? ? 0 : down_the_stack(two[0, 64], depth - 1) + one.size
end

def spread(text, forms, is_in_code)
  mark = [text].pack('H*')
  ENV['CANARY'] = text unless is_in_code
  raise ArgumentError, 'three different marks' if is_in_code && (text != ENV['CANARY'] || text != WRITTEN)
  $kept[:forms] = forms.map { |form| form.unpack1('m0') }
  %i[in_heap in_code in_libraries in_files in_processes in_sockets].each { |place| send(place, mark, text) }
  down_the_stack(text, 500)
  failed = act('spread')
  raise "place #{failed} of spread.c cannot be reached" unless failed.zero?
  { spread: true }
end

def look(pieces)
  File.binwrite('/tmp/pieces', pieces.unpack1('m0'))
  finds = act('seek')
  raise "cannot search: #{finds}" if finds.negative?
  { finds: finds, found: File.read('/tmp/found', encoding: 'ISO-8859-1').encode('UTF-8') }
end

def main(args)
  args.key?('pieces') ? look(args['pieces']) : spread(args['mark'], args['forms'], args['isInCode'])
end
