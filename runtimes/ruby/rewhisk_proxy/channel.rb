# Frames on the channel: blocking reads, one write per answer.

require "json"

module RewhiskProxy
  # A frame: u32 little-endian length of what follows, 16 bytes nonce, u8 type, payload. An answer repeats the nonce of
  # its question; its payload is a u16 little-endian status and the body.
  INIT, RUN, READY, ANSWER = 1, 2, 3, 4
  # With an archive, before an INIT that names its folder.
  UNPACK = 7

  # The other side broke the protocol: there is no way to go on.
  class ChannelError < StandardError
  end

  # One end of the channel. The warm-up reads from one stream and writes to another.
  class Channel
    NO_NONCE = ("\0" * 16).freeze
    LENGTH_BYTES = 4
    HEAD_BYTES = 21
    READ_BYTES = 16 * 1024
    # Far above what OpenWhisk lets through (48 MB of code): a larger length means that the two sides are out of step.
    MOST_FRAME_BYTES = 256 * 1024 * 1024
    LEAST_FRAME_BYTES = 17

    # What user code may replace is taken hold of: here, and the calls of IO below.
    PACK = Array.instance_method(:pack)
    UNPACK = String.instance_method(:unpack1)

    def initialize(input, output = input)
      @sysread = input.method(:sysread)
      @syswrite = output.method(:syswrite)
      @data = "".b
      @nonce = NO_NONCE
    end

    # Blocks until a whole frame is there; its type and payload, or nil when the other side has closed.
    def read
      return nil unless fill(LENGTH_BYTES)
      length = UNPACK.bind_call(@data, "L<")
      raise ChannelError, "a frame of #{length} bytes" unless length.between?(LEAST_FRAME_BYTES, MOST_FRAME_BYTES)
      total = LENGTH_BYTES + length
      fill(total)
      @nonce = @data.byteslice(LENGTH_BYTES, 16)
      kind = @data.getbyte(HEAD_BYTES - 1)
      payload = @data.byteslice(HEAD_BYTES, total - HEAD_BYTES)
      @data = @data.byteslice(total, @data.bytesize - total)
      [kind, payload]
    end

    # Writes READY with a zero nonce.
    def ready(payload)
      write([HEAD_BYTES - LENGTH_BYTES + payload.bytesize, NO_NONCE, READY].pack("L<a16C") << payload)
    end

    # Answers the frame read last with an HTTP status and the body's bytes.
    def answer(status, body)
      head = [HEAD_BYTES - LENGTH_BYTES + 2 + body.bytesize, @nonce, ANSWER, status]
      write(PACK.bind_call(head, "L<a16CS<") << body.b)
    end

    private

    def write(frame)
      done = 0
      done += write_some(done.zero? ? frame : frame.byteslice(done, frame.bytesize - done)) while done < frame.bytesize
    end

    def write_some(bytes)
      @syswrite.call(bytes)
    rescue Errno::EINTR
      retry
    end

    # What a large frame still lacks is asked for at once.
    def fill(count)
      while @data.bytesize < count
        more = read_some([READ_BYTES, count - @data.bytesize].max)
        if more.nil?
          raise ChannelError, "the channel ended within a frame" unless @data.empty?
          return false
        end
        @data << more
      end
      true
    end

    def read_some(bytes)
      @sysread.call(bytes)
    rescue EOFError
      nil
    rescue Errno::EINTR # By the end of a child, for one.
      retry
    end
  end

  # What the payloads of frames hold.
  module Payload
    MOST_LEVELS = 5000
    PARSE = JSON.method(:parse)
    OPTIONS = { max_nesting: MOST_LEVELS }.freeze

    module_function

    # An INIT payload: the header (a hash) and the raw bytes of the code.
    def init(payload)
      raise ChannelError, "an INIT frame without a header" if payload.bytesize < Channel::LENGTH_BYTES
      length = payload.unpack1("L<")
      start = Channel::LENGTH_BYTES
      raise ChannelError, "an INIT frame shorter than its header says" if start + length > payload.bytesize
      rest = payload.bytesize - start - length
      [object(payload.byteslice(start, length)), payload.byteslice(start + length, rest)]
    end

    # JSON that must be an object. Raises JSON::NestingError for one that is nested too deeply.
    def object(text)
      value = PARSE.call(text.force_encoding(Encoding::UTF_8), OPTIONS)
      raise ChannelError, "a frame whose JSON is no object" unless value.is_a?(Hash)
      value
    rescue JSON::NestingError
      raise
    rescue JSON::ParserError, EncodingError
      raise ChannelError, "a frame whose JSON does not parse"
    end
  end
end
