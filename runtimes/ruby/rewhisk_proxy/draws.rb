# Tells whether an init draws random numbers, or makes a generator whose state the proxy cannot renew.

# An action's own checkpoint is taken after its init, and what comes back with it would repeat itself in every activation: pools of
# random bytes, a Random of its own, whatever an extension keeps. A seed that the action has chosen must stay. So an init that
# comes near any of these is told of, and its action has no such checkpoint. What the process can tell by itself is asked of it:
# the state of the shared generator, threads, loaded code. The rest are calls of methods in machine code, which a
# TracePoint sees, under whichever name; no method is replaced by another one.

require "openssl"
require "rbconfig"

module RewhiskProxy
  module Draws
    STATE = %i[seed state left].map { |name| Random.method(name) }.freeze
    CHILDREN = Dir.method(:children)
    READ = File.method(:binread)

    # Of the extensions that come with Ruby itself, those that have no generator and run nobody's code out of sight.
    QUIET_EXTENSIONS = %w[
      bigdecimal cgi/escape continuation coverage date_core digest digest/bubblebabble digest/md5 digest/rmd160 digest/sha1
      digest/sha2 erb/escape etc fcntl io/console io/nonblock io/wait json/ext/generator json/ext/parser monitor nkf objspace openssl
      pathname psych pty racc/cparse rbconfig/sizeof readline ripper socket stringio strscan syslog zlib
    ].freeze
    LIBRARY = "#{RbConfig::CONFIG['rubyarchdir']}/".freeze
    # What they need of the system's libraries.
    QUIET_LIBRARIES = %w[libcrypt libcrypto libgmp libncursesw libreadline libssl libtinfo libyaml libz].freeze

    QUIET_OF_RANDOM = %i[seed state left inherited ==].freeze
    NOT_QUIET_OF_KERNEL = %i[rand srand syscall].freeze
    QUIET_OF_OPENSSL = %i[errors debug debug= fips_mode fixed_length_secure_compare].freeze
    # Of what these have, nothing draws; of X509, all but signatures.
    QUIET_IN_OPENSSL = %w[OpenSSL::ASN1 OpenSSL::Digest OpenSSL::HMAC OpenSSL::KDF].freeze

    module_function

    # What is asked of a call of a class's methods: whether the method draws nothing, for that receiver.
    def rules
      found = {}.compare_by_identity
      random = [Random, *Random.ancestors.take_while { |one| one != Object }].uniq
      random.each { |one| add(found, one) { |name| QUIET_OF_RANDOM.include?(name) } }
      add(found, Kernel) { |name| !NOT_QUIET_OF_KERNEL.include?(name) }
      # The keys of a context's tickets are drawn when it is made, before any method of its own is called.
      add(found, Class) { |name, receiver| name != :allocate || !(receiver <= OpenSSL::SSL::SSLContext) }
      inside(OpenSSL).each { |one| add(found, one, &rule_of(one)) }
      found.freeze
    end

    def add(found, one, &rule)
      found[one] = found[one.singleton_class] = rule
    end

    def rule_of(one)
      return proc { |name| QUIET_OF_OPENSSL.include?(name) } if one == OpenSSL
      return proc { true } if one <= Exception || QUIET_IN_OPENSSL.any? { |quiet| "#{one.name}::".start_with?("#{quiet}::") }
      return proc { |name| name != :sign } if one.name.start_with?("OpenSSL::X509")

      proc { false }
    end

    # The module and all that lie in it.
    def inside(one, seen = [])
      return seen if seen.include?(one) || !one.name.start_with?("OpenSSL")

      seen << one
      one.constants(false).each { |name| inside(one.const_get(name), seen) if Module === one.const_get(name) }
      seen
    end

    RULES = rules

    @drawn = false
    @traces = []

    # To be called after the renewal, right before any user code.
    def watch
      @drawn = false
      @state = state
      @threads = threads
      @code = loaded_code
      @traces = [calls, ractors].compact.each(&:enable)
    rescue SystemCallError
      @drawn = true
    end

    # True where nothing was drawn. To be called right before the answer: no user code may run after it.
    def quiet?
      @traces.each(&:disable)
      !@drawn && state == @state && (threads - @threads).empty? &&
        (loaded_code - @code).all? { |path| quiet_code?(path) }
    rescue SystemCallError
      false
    end

    def calls
      TracePoint.new(:c_call) do |call|
        rule = RULES[call.defined_class]
        @drawn = true if rule && !rule.call(call.method_id, call.self)
      rescue Exception # Of user code that has changed what this needs.
        @drawn = true
      end
    end

    # Each has a generator and traces of its own.
    def ractors
      return unless defined?(Ractor)

      Made.new(Ractor.method(:new), TracePoint.new(:call) { @drawn = true })
    end

    # A trace of one method alone.
    Made = Struct.new(:method, :trace) do
      def enable = trace.enable(target: method)
      def disable = trace.disable
    end

    def state = STATE.map(&:call)
    def threads = CHILDREN.call("/proc/self/task")

    # The files that the process has mapped to run them. As few texts as can be: the checkpoint would hold their pages.
    def loaded_code = READ.call("/proc/self/maps").scan(%r{^\S+ ..x\S* \S+ \S+ \S+ +(/.*)$}).flatten.uniq

    def quiet_code?(path)
      return QUIET_LIBRARIES.include?(File.basename(path)[/\A[^.]*/]) unless path.start_with?(LIBRARY)

      name = path.delete_prefix(LIBRARY).delete_suffix(".so")
      name.start_with?("enc/") || QUIET_EXTENSIONS.include?(name)
    end
  end
end
