# Turns an action's code, a source text or an archive, into the method to call.

require_relative "archive"

module RewhiskProxy
  # The code does not make an action. The message is stock's answer; `log` says more, in the user's log.
  class LoadError < StandardError
    attr_reader :log

    def initialize(message, log = message)
      super(message)
      @log = log
    end
  end

  # Where an action's code goes below `home`.
  class Place
    attr_reader :code_folder, :file

    def initialize(home, folder = "code")
      @code_folder = File.join(home, folder)
      @file = File.join(home, "main.rb")
    end
  end

  module Load
    NOT_UNPACKED = "Invalid Binary: failed to open zip file. Please make sure you have finished $bundle package successfully."
    NO_MAIN = "Invalid Ruby Code: zipped actions must contain main.rb at the root."
    NOT_PARSED = "Invalid Ruby Code: failed to parse the input code"
    NOT_FOUND = "Invalid Ruby Code: method checking failed"

    COMPILE = RubyVM::InstructionSequence.method(:compile)
    METHOD = Kernel.instance_method(:method)
    REQUIRE = Kernel.method(:require)

    module_function

    # Runs a source text as the file main.rb, which is not written; gives its method.
    def source(place, text, main)
      text = text.force_encoding(Encoding::UTF_8)
      compiled = parsed { COMPILE.call(text, place.file, place.file) }
      found(main) { compiled.eval }
    end

    def archive(place, data, main)
      unpack(place, data)
      folder(place.code_folder, main)
    end

    def unpack(place, data)
      Archive.unpack(data, place.code_folder)
    rescue ArchiveError => error
      raise LoadError.new(NOT_UNPACKED, "#{NOT_UNPACKED}\n#{error.message}")
    end

    # Of an archive that is unpacked: requires its main.rb; gives its method.
    def folder(folder, main)
      file = File.join(folder, "main.rb")
      raise LoadError, NO_MAIN unless File.file?(file)
      Dir.chdir(folder)
      parsed { COMPILE.call(File.read(file), file, file) }
      found(main) { REQUIRE.call(file) }
    end

    def parsed
      yield
    rescue SyntaxError, ArgumentError => error # The latter: an encoding that nobody knows.
      raise LoadError.new(NOT_PARSED, "#{NOT_PARSED}\n#{error.message}")
    end

    # Of the code that the block runs: a method that the top level has.
    def found(main)
      yield
      METHOD.bind_call(TOPLEVEL_BINDING.receiver, main)
    rescue Exception => error # Stock tries the code in a process of its own, which may end as it likes.
      told = RewhiskProxy.told(error)
      raise LoadError.new("#{NOT_FOUND} /  / #{told}", "#{NOT_FOUND}\n#{told}")
    end
  end
end
