# Runs neutral actions through the whole proxy before READY, so that an action meets hot code; leaves no trace.

# The checkpoint is taken after this: filled inline caches, loaded libraries and grown heaps are part of it, and a
# rewind brings them back each time. Nothing here may make names or numbers that have to differ between activations
# but by the generators that Randomness renews.

require "fileutils"
require "zlib"

module RewhiskProxy
  class WarmUp
    # Standard libraries that actions often need; requiring one later costs up to 30 ms.
    PRELOADED = %w[
      base64 benchmark bigdecimal bigdecimal/util cgi csv date delegate digest erb fileutils forwardable json logger
      monitor net/http net/https open-uri open3 openssl optparse ostruct pathname pp resolv securerandom set shellwords
      singleton socket stringio strscan tempfile time timeout tmpdir uri yaml zlib
    ].freeze
    ROUNDS = 30
    SOURCES = [
      "def main(args)\n  {greeting: \"hello \#{args['name']}\", count: %<n>d}\nend\n",
      "require 'json'\ndef main(args)\n  puts 'for', args['name'], %<n>d\n  JSON.parse(JSON.generate([args, %<n>d]))\nend\n",
      "class Odd < StandardError\nend\ndef main(args)\n  raise Odd, '%<n>d'\nend\n",
      "def main(args)\n  args['list'].shuffle!\n  {words: 'some text %<n>d'.scan(/[a-z]+/)}\nend\n",
      "require 'digest'\ndef main(args)\n  {digest: Digest::SHA256.hexdigest('%<n>d'), n: ENV.size}\nend\n",
      "def main(args)\n  'text %<n>d'\nend\n",
      "def main(args\n  %<n>d\nend\n"
    ].freeze
    FILES = {
      "main.rb" => "require_relative 'words'\ndef main(args)\n  {text: WORDS}\nend\n",
      "words.rb" => "WORDS = 'unpacked'\n"
    }.freeze
    PARAMETERS = '{"name":"grüße","list":[1,true,null,1.5],"nested":{"a":{"b":[]}}}'

    def initialize(home)
      @home = home
      @folder = File.join(home, ".warm-up")
    end

    # Loads what actions often need, and serves neutral actions in a folder of its own below `home`.
    def run
      load_libraries
      Dir.mkdir(@folder)
      File.open(File::NULL, "r+b") do |sink|
        $stdout = $stderr = sink
        traces = Traces.new(@folder)
        examples.each_with_index do |example, index|
          serve(sink, "code-#{index}", example)
          traces.remove
        end
      end
    ensure
      $stdout, $stderr = STDOUT, STDERR
      FileUtils.rm_rf(@folder)
      # What is alive now is old: later collections hardly look at it, nor write to it.
      4.times { GC.start }
    end

    private

    # One that this Ruby does not have is not missed.
    def load_libraries
      PRELOADED.each do |name|
        require name
      rescue ::LoadError
        next
      end
      Randomness.keep
    end

    def serve(sink, folder, example)
      input, output = IO.pipe(binmode: true)
      output.write(frame(INIT, example), frame(RUN, run_payload) * 2)
      output.close
      Server.new(Channel.new(input, sink), Action.new(Place.new(@folder, folder), ENV)).serve
      input.close
    end

    def examples
      sources = (0...ROUNDS).map { |n| init_payload(format(SOURCES[n % SOURCES.size], n: n), binary: false) }
      sources + Array.new(3) { init_payload(zip, binary: true) }
    end

    def init_payload(code, binary:)
      header = %({"name":"warm-up","main":"main","binary":#{binary},"env":{"__OW_ACTION_NAME":"/_/warm-up"}})
      [header.bytesize, header, code].pack("L<a*a*")
    end

    def run_payload = %({"value":#{PARAMETERS},"action_name":"/_/warm-up","deadline":"0"})

    def frame(kind, payload) = [17 + payload.bytesize, kind, payload].pack("L<x16Ca*")

    def zip
      locals, directory = "".b, "".b
      FILES.each do |name, text|
        packed = Zlib::Deflate.new(nil, -Zlib::MAX_WBITS).deflate(text, Zlib::FINISH)
        head = [20, 0, 8, 0, Zlib.crc32(text), packed.bytesize, text.bytesize, name.bytesize, 0].pack("S<S<S<L<L<L<L<S<S<")
        directory << ["PK\x01\x02", 20, head, locals.bytesize, name].pack("a4S<a*x10L<a*")
        locals << ["PK\x03\x04", head, name, packed].pack("a4a*a*a*")
      end
      last = [FILES.size, FILES.size, directory.bytesize, locals.bytesize].pack("x4S<S<L<L<x2")
      "#{locals}#{directory}PK\x05\x06#{last}".b
    end
  end

  # What actions of the warm-up change in this process, and how it is put back.
  class Traces
    def initialize(folder)
      @folder = folder
      @place = Dir.pwd
      @constants = Object.constants
      @methods = Object.private_instance_methods(false)
      @variables = ENV.to_h
    end

    def remove
      Dir.chdir(@place)
      ENV.replace(@variables)
      (Object.private_instance_methods(false) - @methods).each { |name| Object.remove_method(name) }
      (Object.constants - @constants).each { |name| Object.send(:remove_const, name) }
      $LOADED_FEATURES.reject! { |feature| feature.start_with?(@folder) }
      # The table of what is loaded is made anew, here and not in an action's first require.
      require "json"
    end
  end
end
