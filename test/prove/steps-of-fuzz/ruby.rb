# Steps about Ruby and its system: threads, fibers, ractors, signals, children, files, the collector, what is loaded and replaced.


# step: the environment
def environment_set(n, m)
  (1 + n % 20).times { |i| ENV["LEFT_#{i}"] = 'x' * m }
  ENV['RUBYOPT'] = '-w'
  ENV.delete('PATH') if m.odd?
end

# step: working directory and umask
def place_changed(n, m)
  File.umask(m % 512)
  Dir.chdir(['/tmp', '/', '/dev/shm', '/home/action'][n % 4])
end

# step: threads: asleep, busy, in a queue, in a system call, ended
def threads_started(n, m)
  lives = [-> { sleep }, -> { Thread.pass while true }, -> { Queue.new.pop }, -> { IO.pipe.first.read }, -> {}]
  (1 + n % 4).times { |i| Thread.new(&lives[(m + i) % 5]).name = "left #{i}" }
end

# step: locks that nobody releases, variables of threads, a condition nobody signals
def locks_left(n, m)
  $lock = Mutex.new.tap(&:lock)
  $monitor = Monitor.new.tap(&:enter)
  Thread.current[:left] = m
  Thread.current.thread_variable_set(:left, 'x' * n)
  Thread.new { $lock.synchronize {} }
  Thread.current.priority = n % 3
end

# step: fibers in the middle of their work
def fibers_left(n, m)
  $fibers = Array.new(1 + n % 20) { |i| Fiber.new { Fiber.yield('x' * m) }.tap(&:resume) }
  $enumerator = [1, 2, 3].each.tap(&:next)
end

# step: ractors: waiting, ended, with a message
def ractors_started(n, m)
  $ractors = [Ractor.new { Ractor.receive }, Ractor.new(m) { |number| number + 1 }]
  $ractors.first.send('left') if n.odd?
end

# step slow: a time limit that is kept, and one that is not
def time_limited(n, m)
  require 'timeout'
  Timeout.timeout(1 + n) { m }
  Timeout.timeout(0.001) { sleep }
rescue Timeout::Error
  nil
end

# step: handlers for signals
def handlers_set(n, m)
  %w[USR1 TERM INT CHLD ALRM].first(1 + n % 5).each { |name| trap(name, ['IGNORE', proc {}, 'DEFAULT', 'SYSTEM_DEFAULT'][m % 4]) }
end

# step: signals to itself, handled and ignored
def signals_sent(n, m)
  trap('USR2', m.odd? ? proc { $seen = n } : 'IGNORE')
  (1 + n % 4).times { Process.kill(:USR2, Process.pid) }
end

# step slow: children by fork: asleep, busy, dead
def children_forked(n, m)
  (1 + n % 3).times do |i|
    fork do
      exit!(m % 256) if (m + i) % 3 == 0
      (m + i) % 3 == 1 ? loop {} : sleep
    end
  end
end

# step slow: programs started: asleep, ended, writing, of a group of their own
def programs_started(n, m)
  commands = [%w[sleep 1000], %w[true], ['sh', '-c', 'while :; do echo left; sleep 0.01; done'], ['sh', '-c', 'sleep 1000 &']]
  $program = spawn(*commands[n % 4], in: m.odd? ? :close : '/dev/null', pgroup: m % 3 == 0 ? true : nil)
  Process.wait($program) if n.odd?
end

# step: descriptors and their flags
def descriptors_left(n, m)
  $files = [File.open('/etc/passwd'), File.open('/dev/zero', 'rb'), Dir.open('/proc/self'), *IO.pipe]
  (n % 30).times { $files << File.open('/dev/null') }
  STDERR.close_on_exec = m.odd?
  $files.last.sync = true
end

# step: files, folders and links wherever they may be
def files_left(n, m)
  folder = ['/tmp', '/dev/shm', '/home/action'][n % 3]
  File.write("#{folder}/left-#{m % 10}", 'x' * n)
  Dir.mkdir("#{folder}/folder-#{n}") unless Dir.exist?("#{folder}/folder-#{n}")
  File.symlink('/etc/passwd', "#{folder}/link-#{n}") unless File.symlink?("#{folder}/link-#{n}")
  File.open("#{folder}/left-#{m % 10}").flock(File::LOCK_SH)
end

# step: temporary files, with names that must not be guessed
def temporaries_made(n, m)
  require 'tempfile'
  $temporary = [Tempfile.new('left'), Dir.mktmpdir]
  $temporary.first.write('x' * m)
end

# step: sockets that listen, are connected, have unread bytes
def sockets_left(n, m)
  require 'socket'
  $server = TCPServer.new('127.0.0.1', 0)
  $client = TCPSocket.new('127.0.0.1', $server.addr[1])
  $client.write('x' * (1 + m % 1000))
  $pair = UNIXSocket.pair.tap { |one, _| one.write('left') }
  UDPSocket.new.tap { |socket| socket.bind('127.0.0.1', 0) }.send('left', 0, '127.0.0.1', $server.addr[1]) if n.odd?
rescue Errno::ECONNREFUSED
  nil
end

# step: objects of all sizes, some of them garbage
def heap_filled(n, m)
  $kept = Array.new(n * 20) { |i| { "key#{i % 10}" => 'x' * (m % 200), i.to_s.to_sym => [i.to_f, 2**70 + i] } }
  Array.new(m * 20) { |i| "garbage #{i}" }
end

# step: one large object
def large_object_made(n, m)
  $large = 'x' * (n * 5000)
  $larger = Array.new(m * 500, nil)
end

# step: the collector's settings, and collections of every kind
def collector_changed(n, m)
  GC.stress = false
  m.odd? ? GC.disable : GC.start
  GC.compact if n % 7 == 0
  ObjectSpace.garbage_collect
  GC::Profiler.enable if n.odd?
end

# step: weak references, finalizers, ids of objects
def references_left(n, m)
  require 'weakref'
  $weak = WeakRef.new(+'left')
  $map = ObjectSpace::WeakMap.new.tap { |map| map[$weak] = 'x' * m }
  ObjectSpace.define_finalizer(+'left', proc { n })
  (1 + n % 50).times { Object.new.object_id }
end

# step: classes, modules, constants and methods defined, removed, refined
def definitions_left(n, m)
  (1 + n % 10).times { |i| Object.const_set("Left#{i}", Class.new { define_method("left_#{m}") { i } }) unless Object.const_defined?("Left#{i}") }
  Object.class_eval("def left_#{m % 50}(a = #{n}) a end")
  String.class_eval { def shout = upcase }
  Integer.prepend(Module.new { def left = self })
  $refinement = Module.new { refine(String) { def quiet = downcase } }
end

# step: code compiled and run, bindings kept
def code_evaluated(n, m)
  $compiled = RubyVM::InstructionSequence.compile("[#{n}] * #{m % 100}").tap(&:eval)
  $binding = eval("left = #{m}; binding")
  $lambda = eval("->(x) { x + #{n} }")
end

# step: methods replaced which a runtime may call
def methods_replaced(n, m)
  $VERBOSE = nil
  [-> { String.class_eval { def strip = self } }, -> { JSON.define_singleton_method(:generate) { |*| '{}' } },
   -> { IO.class_eval { def sysread(*) = '' } }, -> { Kernel.module_eval { def puts(*) = nil } },
   -> { Hash.class_eval { def each(*) = self } if m == 1000 }][n % 5].call
end

# step: what was required, and where it is looked for
def libraries_loaded(n, m)
  %w[set prime matrix ripper objspace coverage pty etc io/console].first(1 + n % 9).each { |name| require name }
  $LOAD_PATH.unshift("/tmp/#{m}")
  $LOADED_FEATURES << "/tmp/left-#{m}.rb"
  Object.autoload(:LeftBehind, '/tmp/left.rb')
rescue LoadError
  nil
end

# step: hooks under everything that runs
def hooks_left(n, m)
  $trace = TracePoint.new([:raise, :c_call, :line, :class][n % 4]) { $traced = m }.tap(&:enable)
  trace_var(:$left) { |value| value }
  at_exit { puts 'left' }
  $trace.disable if m.odd?
end

# step: warnings, encodings, verbosity, streams
def settings_changed(n, m)
  $VERBOSE = [nil, false, true][n % 3]
  Warning[:deprecated] = m.odd?
  Encoding.default_internal = [nil, 'UTF-8'][m % 2]
  Thread.report_on_exception = n.odd?
  $stdout.sync = m.odd?
  $; = nil
  $0 = "left #{n}"
end

# step: numbers of every generator, and seeds that are known
def random_drawn(n, m)
  require 'securerandom'
  $drawn = [rand, Random.bytes(n), SecureRandom.hex, [1, 2, 3].shuffle, OpenSSL::Random.random_bytes(8), Random.new_seed]
  srand(m)
  Random.srand(n)
  $generator = Random.new(m)
end

# step: hashes and ciphers in OpenSSL
def openssl_used(n, m)
  $context = n % 20 == 0 ? OpenSSL::SSL::SSLContext.new.tap(&:set_params) : OpenSSL::SSL::SSLContext.new
  $digest = OpenSSL::Digest.new('SHA512').update('x' * n)
  $cipher = OpenSSL::Cipher.new('aes-256-cbc').encrypt.tap(&:random_key)
  OpenSSL::PKCS5.pbkdf2_hmac('left', 'left', 1 + m, 20, 'sha1')
end

# step: streams that compress, parse and format
def streams_left(n, m)
  require 'zlib'
  $streams = [Zlib::Deflate.new, StringIO.new('x' * n), Zlib::Inflate.new]
  $streams.first << 'x' * m * 20
  $parsed = [YAML.load("a: #{n}"), JSON.parse("[#{m}]"), Time.at(m).utc.strftime('%c'), BigDecimal(n) / 7, Date.new(2000 + n % 30)]
end

# step: exceptions kept with their traces and causes
def exceptions_kept(n, m)
  raise ArgumentError, "left #{m}"
rescue ArgumentError => error
  $error = error
  begin
    raise TypeError, 'x' * n
  rescue TypeError => other
    $other = [other, other.cause, other.backtrace_locations]
  end
end

# step: the stack, down to its end
def stack_used(n, m)
  down = ->(depth) { depth.zero? ? m : down.call(depth - 1) }
  down.call(n)
  endless = ->(depth) { endless.call(depth + 1) }
  endless.call(0) if m % 5 == 0
rescue SystemStackError
  nil
end

# step: an action that returns an error, a list
def error_returned(n, m)
  -> { [{ error: "left #{n}" }, { error: { left: m } }, [1, 2]][n % 3] }
end

# step: an action that raises, exits, or returns what is no result
def error_raised(n, m)
  lambda do
    raise "left #{m}" if n % 4 == 0
    exit(m % 256) if n % 4 == 1
    n % 4 == 2 ? { left: Float::NAN } : 'left'
  end
end

# step rare process-gone: an action that ends its process at once
def exit_at_once(n, m)
  -> { exit!(m % 256) }
end

# step: a large result
def result_large(n, m)
  -> { { left: 'é' * (m % 3) + 'x' * (100_000 + n * 500) } }
end

# step rare hangs: an action that never answers
def answer_missing(n, m)
  -> { n.odd? ? loop {} : sleep }
end
