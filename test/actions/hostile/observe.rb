# Reports everything that it can find out about the process and container it runs in. In a container that was used and
# rewound, the report must be equal to that of a fresh one, but for the fields that hostile.json names.
require 'digest'
require 'fiddle'
require 'openssl'
require 'securerandom'
require 'socket'
require 'tmpdir'

WRITABLE = %w[/tmp /var/tmp /home/action /home /dev/shm /dev/mqueue /run /var /etc /usr /opt /].freeze
ALWAYS = %w[/tmp /var/tmp /home /dev/shm].freeze
VOLATILE_STATUS = /^(Vm|Rss|Hugetlb|voluntary|nonvoluntary|x86_Thread|Uid|Gid|Groups|Pid|Tgid|Ngid|PPid|NSt?p|NSs|TracerPid)/
# This source does not hold what it looks for; nor does the pattern, which takes the next letter as well for each of the last.
MARKER = Regexp.new('LEFT-BEHIND-BY-' + '-THE-LAST-ACTION'.bytes.drop(1).map { |byte| format('[\\x%02x\\x%02x]', byte, byte + 1) }.join, Regexp::NOENCODING)
MARKER_BYTES = 30
CHUNK = 1 << 20

module Look
  module_function

  def attempt
    yield
  rescue SystemCallError => problem
    "failed: #{problem.class.name}"
  end

  def read(path)
    attempt { File.binread(path).force_encoding('UTF-8').scrub }
  end

  def lines(path)
    read(path).split("\n").reject(&:empty?)
  end

  # Without the address of what has no name.
  def nameless(value)
    value.to_s.gsub(/0x\h+/, '')
  end

  # What a class or module has of its own.
  def describe(value)
    return value.class.name.to_s unless value.is_a?(Module)
    own = value.singleton_class
    members = [value.constants(false), value.instance_methods(false), value.private_instance_methods(false),
               own.instance_methods(false), own.private_instance_methods(false), value.instance_variables, value.class_variables(false)]
    places = (value.instance_methods(false) + value.private_instance_methods(false)).map do |name|
      value.instance_method(name).source_location.inspect
    end
    "#{value.class} #{members.flatten.size} #{Digest::SHA256.hexdigest([members.map(&:sort), places.sort, value.ancestors.map { |one| nameless(one) }].inspect)[0, 16]}"
  end

  # The observer's own names are in every report.
  def modules
    ObjectSpace.each_object(Module).reject(&:singleton_class?).map { |value| "#{nameless(value)}: #{describe(value)}" }.sort
  end

  def walk(folder)
    found = []
    waiting = [folder]
    until waiting.empty?
      top = waiting.pop
      names = attempt { Dir.children(top) }
      next found << "#{top.inspect} #{names}" if names.is_a?(String)
      names.each do |name|
        path = File.join(top, name.b)
        info = attempt { File.lstat(path) }
        next found << "#{path.inspect} #{info}" if info.is_a?(String)
        found << "#{path.inspect} #{info.mode.to_s(8)} #{info.size if info.file?} #{info.nlink}"
        waiting << path if info.directory? && path.count('/') <= 6
      end
    end
    found.sort
  end

  def files
    WRITABLE.to_h do |folder|
      info = attempt { File.stat(folder).mode.to_s(8) }
      writable = File.writable?(folder)
      entries = walk(folder) if writable || ALWAYS.include?(folder)
      [folder, { mode: info, writable: writable, entries: entries }]
    end
  end

  def descriptors
    Dir.children('/proc/self/fd').filter_map do |fd|
      target = attempt { File.readlink("/proc/self/fd/#{fd}") }
      next if target.start_with?('failed') || target.match?(%r{\A/proc/\d+/fd\z})
      info = lines("/proc/self/fdinfo/#{fd}").grep(/^(flags|pos|tfd|inotify|clockid|lock|eventfd-count)/)
      [fd, [target.sub(/\[\d+\]/, '[]'), *info.map { |line| line.gsub(/\s+/, ' ') }.sort]]
    end.to_h
  end

  # Options of the socket between the runtime and the host.
  def channel
    stream = BasicSocket.for_fd(3)
    stream.autoclose = false
    %i[RCVTIMEO SNDTIMEO RCVLOWAT SNDBUF RCVBUF PRIORITY LINGER KEEPALIVE].to_h do |name|
      [name, stream.getsockopt(:SOCKET, name).data.unpack1('H*')]
    end
  end

  def threads
    Dir.children('/proc/self/task').map do |task|
      status = lines("/proc/self/task/#{task}/status").grep(/^(Name|Sig(Blk|Pnd)|Seccomp|NoNewPrivs|CapEff)/)
      fields = read("/proc/self/task/#{task}/stat").rpartition(') ').last.split(' ')
      [*status, "priority #{fields[15]} nice #{fields[16]} policy #{fields[38]}"].join(', ')
    end.sort
  end

  def processes
    Dir.children('/proc').grep(/\A\d+\z/).map { |pid| "#{pid if pid.to_i <= 2} #{read("/proc/#{pid}/comm").strip}".strip }.sort
  end

  def sockets
    found = %w[tcp tcp6 udp udp6].to_h do |kind|
      [kind, (lines("/proc/self/net/#{kind}").drop(1)).map { |line| line.split[1..4].join(' ') }.sort]
    end
    found['unix'] = lines('/proc/self/net/unix').drop(1).map { |line| line.split.values_at(4, 5, 7).join(' ') }.sort
    %w[raw packet netlink icmp].each { |kind| found[kind] = lines("/proc/self/net/#{kind}").size }
    found['routes'] = lines('/proc/self/net/route').drop(1).map { |line| line.split("\t").first(4).join(' ') }
    found
  end

  def parts
    lines('/proc/self/maps').map(&:split)
  end

  # Names and rights of mappings; numbers and places of the unnamed ones depend on the allocator.
  def mappings
    parts.map { |part| "#{part[1]} #{part.drop(5).join(' ')}" }.uniq.sort
  end

  # A digest of every executable mapping of a file, as it is in memory.
  def code
    parts.filter_map do |edges, rights, offset, _, _, file|
      next unless rights.start_with?('r-x') && file.to_s.start_with?('/')
      first, last = edges.split('-').map(&:hex)
      ["#{file} #{offset}", Digest::SHA256.hexdigest(Fiddle::Pointer.new(first)[0, last - first])[0, 16]]
    end.to_h
  end

  # How often the marker of another action lies in this process's memory.
  def markers
    found, total = 0, 0
    File.open('/proc/self/mem', 'rb') do |memory|
      parts.each do |edges, rights, _, _, _, name|
        next if !rights.start_with?('rw') || name.to_s.start_with?('[v')
        first, last = edges.split('-').map(&:hex)
        first.step(last - 1, CHUNK) do |position|
          chunk = memory.pread([CHUNK + MARKER_BYTES, last - position].min, position)
          total += chunk.bytesize
          found += chunk.scan(MARKER).size
        rescue Errno::EIO # What was unmapped meanwhile.
          next
        end
      end
    end
    { found: found, readable: total.positive? }
  rescue SystemCallError => problem
    "failed: #{problem.class}"
  end

  def handler(number)
    before = Signal.trap(number, 'DEFAULT')
    Signal.trap(number, before)
    before.is_a?(Proc) ? 'a block' : before.to_s
  rescue ArgumentError, SystemCallError
    'reserved'
  end

  def umask
    found = File.umask(0o077)
    File.umask(found)
    found
  end

  def interpreter
    {
      globals: global_variables.reject { |name| name.match?(/\A\$[~_&`'+\d!@]/) }.sort.map { |name| "#{name} #{eval(name.to_s).class}" },
      paths: [$LOAD_PATH, $0, ARGV, $LOADED_FEATURES.size, Digest::SHA256.hexdigest($LOADED_FEATURES.join("\n"))],
      settings: [$VERBOSE, $DEBUG, $;, $,, $/, $stdout.sync, STDERR.sync, $stdout.equal?(STDOUT), $stderr.equal?(STDERR)],
      encodings: [Encoding.default_external, Encoding.default_internal, STDOUT.external_encoding].map(&:to_s),
      threads: Thread.list.map { |thread| [thread.status.to_s, thread.name, thread.keys.size] },
      collector: [GC.stress, GC.measure_total_time, GC.enable.tap { |was| GC.disable if was }],
      warnings: [Warning[:deprecated], Warning[:experimental]],
      thread: [Thread.abort_on_exception, Thread.report_on_exception],
      main: [TOPLEVEL_BINDING.local_variables, TOPLEVEL_BINDING.receiver.singleton_methods],
      signals: (Signal.list.values - [0]).uniq.to_h { |number| [number, handler(number)] },
      zone: [Time.at(0).zone, Time.at(0).utc_offset]
    }
  end

  def process
    {
      cwd: attempt { Dir.pwd },
      umask: umask.to_s(8),
      environment: ENV.to_h,
      pid: Process.pid,
      parent: Process.ppid,
      group: [Process.getpgid(0), Process.getsid(0)],
      user: [Process.uid, Process.euid, Process.gid, Process.egid, *Process.groups],
      nice: Process.getpriority(Process::PRIO_PROCESS, 0),
      limits: lines('/proc/self/limits'),
    }
  end

  def kernel
    {
      status: lines('/proc/self/status').grep_v(VOLATILE_STATUS),
      timers: lines('/proc/self/timers').grep_v(/^ID/),
      name: read('/proc/self/comm').strip,
      personality: read('/proc/self/personality').strip,
      oomScore: read('/proc/self/oom_score_adj').strip,
      timerSlack: read('/proc/self/timerslack_ns').strip,
      dump: read('/proc/self/coredump_filter').strip,
      ipc: %w[shm sem msg].map { |kind| lines("/proc/sysvipc/#{kind}").size },
      mounts: lines('/proc/self/mountinfo').map { |line| [*line.split(' ')[4..5], line.partition(' - ').last.split(' ').first].join(' ') }.sort,
      hostname: Socket.gethostname,
      cgroup: read('/proc/self/cgroup')
    }
  end

  def random
    {
      rand: Kernel.rand,
      bytes: Random.bytes(16).unpack1('H*'),
      secret: SecureRandom.hex(16),
      openssl: OpenSSL::Random.random_bytes(16).unpack1('H*'),
      id: SecureRandom.uuid,
      name: Dir::Tmpname.create('name') {}
    }
  end
end

def main(args)
  early = { openDescriptors: Look.descriptors, threads: Look.threads, mappings: Look.mappings }
  {
    **early,
    modules: Look.modules,
    interpreter: Look.interpreter,
    process: Look.process,
    kernel: Look.kernel,
    channel: Look.channel,
    processes: Look.processes,
    sockets: Look.sockets,
    files: Look.files,
    code: Look.code,
    markers: Look.markers,
    random: Look.random
  }
end
