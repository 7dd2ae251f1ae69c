# The loop of the action proxy: one frame after the other, each answered before the next is read.

# Between two frames the process blocks in read(2): that is where the container's checkpoint is taken. What user code
# can replace is taken hold of here before any user code runs.

require_relative "channel"
require_relative "action"
require_relative "randomness"
require_relative "warm_up"

module RewhiskProxy
  class Server
    CHANNEL_FD = 3
    EXIT_BROKEN = 70
    LEVEL_BODY = '{"OK":true,"level":true}'.freeze
    EXIT = Process.method(:exit!)
    FLUSHES = [STDOUT, STDERR].map { |stream| stream.method(:flush) }.freeze
    WRITE_ERROR = STDERR.method(:syswrite)

    # Warms up, says READY, serves; the process ends with the channel.
    def self.main
      home = ENV["HOME"] || Dir.pwd
      # What is printed is out at once: an activation that is cut short keeps what it has said.
      STDOUT.sync = true
      stream = IO.for_fd(CHANNEL_FD, "r+b", autoclose: false)
      # Programs that an action starts do not inherit the channel.
      stream.close_on_exec = true
      WarmUp.new(home).run
      channel = Channel.new(stream)
      action = Action.new(Place.new(home), ENV)
      channel.ready(%({"runtime":"ruby","version":"#{RUBY_VERSION}"}))
      new(channel, action).serve
      EXIT.call(0)
    rescue ChannelError, SystemCallError, IOError => error
      break_off(error.message)
    end

    def self.break_off(text)
      WRITE_ERROR.call("action proxy: the channel is broken: #{text.scrub}\n")
    ensure
      EXIT.call(EXIT_BROKEN)
    end

    def initialize(channel, action)
      @channel = channel
      @action = action
      @watched = false
      @renews_at_run = false
    end

    # Answers frames until the other side closes the channel.
    def serve
      while (kind, payload = @channel.read)
        status, body = answer(kind, payload)
        flush
        body = LEVEL_BODY if may_come_back?(status)
        @channel.answer(status, body)
      end
    end

    private

    def answer(kind, payload)
      case kind
      when INIT
        header, code = Payload.init(payload)
        Randomness.renew
        header["level"] == true ? init_for_level(header, code) : @action.init(header, code)
      when RUN
        Randomness.renew if @renews_at_run
        @action.run(Payload.object(payload))
      when UNPACK
        @action.unpack(payload)
      else
        raise ChannelError, "a frame of unknown type #{kind}"
      end
    rescue JSON::NestingError
      Action.answer_error(BAD_GATEWAY, "The action's parameters are nested too deeply.")
    end

    def init_for_level(header, code)
      Randomness.watch
      @watched = true
      @action.init(header, code)
    end

    # To be asked right before the answer is written. What the action is then may be come back to before each run, unless it has
    # drawn random numbers.
    def may_come_back?(status)
      return false unless @watched

      @watched = false
      @renews_at_run = Randomness.watched?
      @renews_at_run && status == OK
    end

    # Everything the activation printed is in the pipes before its answer is written.
    def flush
      FLUSHES.each { |flush| flush_by(flush) }
      flush_by($stdout.method(:flush)) unless STDOUT.equal?($stdout)
    rescue StandardError
      # It prints to something that cannot be flushed: its own loss.
    end

    def flush_by(flush)
      flush.call
    rescue StandardError
      # Closed by user code.
    end
  end
end
