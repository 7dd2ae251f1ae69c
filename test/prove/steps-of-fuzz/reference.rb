# The fixed action after each fuzzed one: reports what it sees of its world, the same in every fresh container.
require 'digest'
require 'openssl'
require 'securerandom'
require 'socket'
require 'tmpdir'
require 'zlib'

module Reference
  VOLATILE = /^(Vm|Rss|Hugetlb|voluntary|nonvoluntary|x86_Thread|Uid|Gid|Groups|Pid|Tgid|Ngid|PPid|NSt?p|NSs|TracerPid|SigQ)/
  WATCHED = [Object, Kernel, String, Array, Hash, Integer, IO, File, Dir, Process, Thread, Exception, JSON, Random, Signal, GC,
             ObjectSpace, OpenSSL, Warning, Comparable, Enumerable, Struct, Symbol, Proc, Regexp, Time].freeze

  module_function

  def digest(value) = Digest::SHA256.hexdigest(value.inspect)[0, 16]

  def lines(path) = File.readlines(path, chomp: true)

  def shape(one)
    names = one.instance_methods(false) + one.private_instance_methods(false)
    digest([names.sort.map { |name| [name, one.instance_method(name).source_location] }, one.singleton_methods(false).sort,
            one.constants(false).sort, one.ancestors.map { |other| other.to_s.sub(/0x\h+/, '') }, one.instance_variables])
  end

  def descriptors
    Dir.children('/proc/self/fd').filter_map do |fd|
      info = lines("/proc/self/fdinfo/#{fd}").grep(/^(flags|pos|tfd|lock|eventfd-count)/)
      [fd, File.readlink("/proc/self/fd/#{fd}").sub(/\[\d+\]/, '[]'), *info.sort]
    rescue Errno::ENOENT
      next
    end.sort
  end

  def threads
    Dir.children('/proc/self/task').map { |task| lines("/proc/self/task/#{task}/status").grep(/^(Name|Sig(Blk|Pnd)|Seccomp|CapEff)/) }
  end

  def files(folder)
    info = File.stat(folder)
    [info.mode, info.nlink, Dir.children(folder).map(&:dump).sort]
  end

  def handler(name)
    before = trap(name, 'DEFAULT')
    trap(name, before)
    before.is_a?(Proc) ? 'a block' : before.to_s
  rescue ArgumentError, SystemCallError
    'reserved'
  end

  def interpreter
    {
      members: WATCHED.to_h { |one| [one.to_s, shape(one)] },
      modules: ObjectSpace.each_object(Module).count { |one| !one.singleton_class? && one.name },
      globals: (global_variables - %i[$~ $_ $& $` $' $+ $1 $2 $3 $4 $5 $6 $7 $8 $9 $! $@]).sort.map { |name| "#{name} #{eval(name.to_s).class}" },
      paths: [$LOAD_PATH, $LOADED_FEATURES.size, digest($LOADED_FEATURES), $0, ARGV],
      settings: [$VERBOSE, $DEBUG, $;, $,, $stdout.sync, Encoding.default_internal.to_s, Encoding.default_external.to_s,
                 Warning[:deprecated], Warning[:experimental], Thread.report_on_exception, Thread.abort_on_exception],
      streams: [$stdout.equal?(STDOUT), $stderr.equal?(STDERR), STDOUT.inspect, STDERR.inspect, STDERR.close_on_exec?],
      collector: [GC.stress, GC.enable.tap { |was| GC.disable if was }, GC::Profiler.enabled?],
      threads: Thread.list.map { |thread| [thread.status.to_s, thread.name, thread.priority, thread.keys, thread.thread_variables] },
      ractors: Ractor.count,
      signals: Signal.list.keys.sort.map { |name| handler(name) },
      next_id: Object.new.object_id
    }
  end

  def process
    {
      place: [Dir.pwd, File.umask.to_s(8), Process.pid, Process.ppid, Process.getpgid(0), Process.getsid(0)],
      environment: ENV.to_h,
      priority: Process.getpriority(Process::PRIO_PROCESS, 0)
    }
  end

  def kernel
    {
      status: lines('/proc/self/status').grep_v(VOLATILE),
      limits: lines('/proc/self/limits'),
      timers: lines('/proc/self/timers'),
      name: lines('/proc/self/comm'),
      processes: Dir.children('/proc').grep(/\A\d+\z/).map { |pid| lines("/proc/#{pid}/comm") },
      sockets: ['', '6'].flat_map { |kind| lines("/proc/self/net/sockstat#{kind}") }.map { |line| line.gsub(/ (alloc|mem|orphan) \d+/, '') },
      local: lines('/proc/self/net/unix').size,
      mappings: lines('/proc/self/maps').map(&:split).map { |part| [part[1], *part.drop(5)].join(' ') }.uniq.sort
    }
  end

  def compute
    numbers = Array.new(200) { |i| i * 7919 % 1009 }
    text = JSON.generate({ numbers: numbers, day: Time.at(86_400 * 365).utc.strftime('%c'), big: 3**80 })
    one, other = UNIXSocket.pair
    one.write('left')
    {
      sorted: numbers.map(&:to_s).sort.first(10),
      text: digest(text.gsub(/(\d)(\d)/, '\2\1')),
      packed: digest(Zlib.inflate(Zlib.deflate(text))),
      sums: [numbers.sum { |number| Math.sin(number) }, 0.1 + 0.2, 1 / 3.0, Math.exp(1), BigDecimal(2).sqrt(20).to_s, 0.1.to_r.to_s],
      made: eval("[%w[l e f t].map(&:upcase), 7 * 6, 'left'.unpack1('H*')]"),
      thread: Thread.new { numbers.sum }.value,
      fiber: Fiber.new { Fiber.yield(1) }.resume,
      received: other.recv(10),
      child: IO.popen(['/bin/echo', 'born'], &:read),
      raised: (raise ArgumentError, 'shown' rescue $!.full_message(highlight: false).lines.first)
    }
  end

  def random
    {
      rand: Kernel.rand,
      bytes: Random.bytes(16).unpack1('H*'),
      secret: SecureRandom.hex(16),
      openssl: OpenSSL::Random.random_bytes(16).unpack1('H*'),
      name: Dir::Tmpname.create('name') {}
    }
  end
end

def main(args)
  {
    descriptors: Reference.descriptors, threads: Reference.threads,
    interpreter: Reference.interpreter, process: Reference.process, kernel: Reference.kernel,
    files: %w[/tmp /dev/shm /home/action].map { |folder| Reference.files(folder) },
    computed: Reference.compute, random: Reference.random
  }
end
