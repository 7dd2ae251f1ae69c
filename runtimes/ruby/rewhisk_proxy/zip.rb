# Reads zip archives: which entries there are, by their central directory, and what each holds.

require "zlib"

module RewhiskProxy
  # An archive that is not unpacked; the message says why, and which entry.
  class ArchiveError < StandardError
    def self.of(path, why) = new("entry \"#{path}\" #{why}")
  end

  # Every offset and size comes from a stranger: what lies outside of the archive is refused.
  class Zip
    SIGNATURE = "PK\x03\x04".b.freeze
    DIRECTORY = "PK\x01\x02".b.freeze
    END_OF_DIRECTORY = "PK\x05\x06".b.freeze
    END_64 = "PK\x06\x06".b.freeze
    LOCATOR_64 = "PK\x06\x07".b.freeze
    END_BYTES, END_64_BYTES, LOCATOR_BYTES, HEAD_BYTES, LOCAL_BYTES = 22, 56, 20, 46, 30
    MOST_COMMENT_BYTES = 0xffff
    # Instead of a number that stands in a part of ZIP64.
    ELSEWHERE_32 = 0xffff_ffff
    MADE_BY_UNIX = 3
    STORED, DEFLATED = 0, 8
    UTF_8_NAME, ENCRYPTED = 0x800, 1

    # `mode` is st_mode, or 0 where the archive tells none.
    Entry = Struct.new(:path, :mode, :flags, :method, :checksum, :packed_bytes, :bytes, :offset) do
      def encrypted? = flags & ENCRYPTED != 0
    end

    def initialize(data)
      @data = data
    end

    def each
      offset, finish = directory
      while offset < finish
        head = part(offset, HEAD_BYTES)
        refuse("its directory is broken") unless head.start_with?(DIRECTORY)
        made_by, flags, method, checksum, packed, bytes, name_bytes, extra_bytes, comment_bytes, attributes, local =
          head.unpack("x5Cx2S<S<x4L<L<L<S<S<S<x4L<L<")
        name = part(offset + HEAD_BYTES, name_bytes)
        extra = part(offset + HEAD_BYTES + name_bytes, extra_bytes)
        bytes, packed, local = large(extra, [bytes, packed, local])
        mode = made_by == MADE_BY_UNIX ? attributes >> 16 : 0
        yield Entry.new(text_of(name, flags), mode, flags, method, checksum, packed, bytes, local)
        offset += HEAD_BYTES + name_bytes + extra_bytes + comment_bytes
      end
    end

    # Hands over an entry's content piece by piece; what is not as the directory says is refused.
    def content(entry)
      done, checksum = 0, 0
      pieces(entry) do |piece|
        done += piece.bytesize
        raise ArchiveError.of(entry.path, "holds more than it says") if done > entry.bytes
        checksum = Zlib.crc32(piece, checksum)
        yield piece
      end
      return if done == entry.bytes && checksum == entry.checksum
      raise ArchiveError.of(entry.path, "does not hold what it says")
    end

    private

    def pieces(entry, &take)
      head = part(entry.offset, LOCAL_BYTES)
      refuse("entry \"#{entry.path}\" is not where it should be") unless head.start_with?(SIGNATURE)
      packed = part(entry.offset + LOCAL_BYTES + head.unpack("x26S<S<").sum, entry.packed_bytes)
      return take.call(packed) if entry.method == STORED
      raise ArchiveError.of(entry.path, "is compressed in an unknown way") unless entry.method == DEFLATED
      inflater = Zlib::Inflate.new(-Zlib::MAX_WBITS)
      inflater.inflate(packed, &take)
      raise ArchiveError.of(entry.path, "does not hold what it says") unless inflater.finished?
    rescue Zlib::Error => error
      refuse("entry \"#{entry.path}\": #{error.message}")
    ensure
      inflater&.close
    end

    # Where the central directory begins, and where it ends.
    def directory
      at = [@data.bytesize - END_BYTES - MOST_COMMENT_BYTES, 0].max
      last = @data.byteslice(at, @data.bytesize - at).rindex(END_OF_DIRECTORY) or refuse("it has no directory")
      bytes, offset = part(at + last, END_BYTES).unpack("x12L<L<")
      locator = at + last - LOCATOR_BYTES
      if [bytes, offset].include?(ELSEWHERE_32) && locator >= 0 && part(locator, LOCATOR_BYTES).start_with?(LOCATOR_64)
        record = part(part(locator, LOCATOR_BYTES).unpack1("x8Q<"), END_64_BYTES)
        refuse("its directory is broken") unless record.start_with?(END_64)
        bytes, offset = record.unpack("x40Q<Q<")
      end
      [offset, offset + bytes]
    end

    # Numbers too large for their fields follow one another in the extra field 1.
    def large(extra, numbers)
      return numbers unless numbers.include?(ELSEWHERE_32)
      at = 0
      while at + 4 <= extra.bytesize
        id, length = extra.unpack("S<S<", offset: at)
        rest = extra.byteslice(at + 4, length).unpack("Q<*") if id == 1
        return numbers.map { |number| number == ELSEWHERE_32 ? rest.shift || refuse("its directory is broken") : number } if rest
        at += 4 + length
      end
      numbers
    end

    def text_of(name, flags)
      text = name.force_encoding(Encoding::UTF_8)
      return text if text.valid_encoding? || flags & UTF_8_NAME != 0
      text.force_encoding(Encoding::IBM437).encode(Encoding::UTF_8)
    end

    def part(offset, bytes)
      found = @data.byteslice(offset, bytes)
      refuse("it is cut short") if found.nil? || found.bytesize < bytes
      found
    end

    def refuse(why) = raise(ArchiveError, "the archive cannot be read: #{why}")
  end
end
