# One action from init to its last run: environment, outcomes and error texts as OpenWhisk's ruby runtime.

require "json"
require_relative "channel"
require_relative "load"

module RewhiskProxy
  OK, FORBIDDEN, SERVER_ERROR, BAD_GATEWAY = 200, 403, 500, 502

  # Answers are pairs: an HTTP status, and the bytes that stock would send as HTTP body.
  class Action
    INITIALIZED = '{"OK":true}'.freeze
    NOT_RUN = "Invalid Action: An error occurred running the action"
    NO_DICTIONARY = "The action did not return a dictionary or array."

    GENERATE = JSON.method(:generate)
    OPTIONS = { max_nesting: Payload::MOST_LEVELS }.freeze

    def self.answer_error(status, text) = [status, GENERATE.call({ "error" => text.scrub })]

    def initialize(place, environment)
      @place = place
      @environment = environment
      @main = nil
    end

    # Only unpacks; nothing of it runs. An archive that is refused here is refused by init, which says why.
    def unpack(data)
      Load.unpack(@place, data)
      [OK, INITIALIZED]
    rescue StandardError
      refuse(SERVER_ERROR, Load::NOT_UNPACKED)
    end

    # Loads the code. `header` has main, binary and env; `code` is the source or the archive. With a folder, where that is unpacked, there
    # is none.
    def init(header, code)
      return refuse(FORBIDDEN, "Cannot initialize the action more than once.") if @main
      return refuse(SERVER_ERROR, "Missing main/no code to execute.") if code.empty? && !header["folder"]
      (header["env"] || {}).each { |name, value| @environment[name] = String === value ? value : GENERATE.call(value) }
      main = header["main"].to_s
      main = "main" if main.empty?
      @main = method_of(header, code, main)
      [OK, INITIALIZED]
    rescue LoadError => error
      complain(error.log)
      refuse(SERVER_ERROR, error.message)
    rescue SystemCallError, ArgumentError, EncodingError => error # A variable that cannot be set.
      complain(RewhiskProxy.told(error))
      refuse(SERVER_ERROR, "#{Load::NOT_FOUND} /  / #{error.message}")
    end

    # Calls the method. `body` is the parsed /run body: every text beside `value` goes to the environment.
    def run(body)
      return refuse(SERVER_ERROR, "Invalid Action: no action file found") unless @main
      body.each { |name, value| @environment["__OW_#{name.upcase}"] = value if name != "value" && String === value }
      result = @main.call(body["value"] || {})
      return refuse(BAD_GATEWAY, NO_DICTIONARY) unless Hash === result || Array === result
      [OK, GENERATE.call(result, OPTIONS)]
    rescue Exception => error # Stock's actions run in a process of their own, which may end as it likes.
      complain(RewhiskProxy.told(error)) unless SystemExit === error
      refuse(BAD_GATEWAY, NOT_RUN)
    end

    private

    def method_of(header, code, main)
      return Load.folder(header["folder"], main) if header["folder"]
      header["binary"] ? Load.archive(@place, code, main) : Load.source(@place, code, main)
    end

    def refuse(status, text) = self.class.answer_error(status, text)

    def complain(text)
      $stderr.write(text.end_with?("\n") ? text : "#{text}\n")
    rescue StandardError
      # User code has closed or broken $stderr: its own loss.
    end
  end

  FULL_MESSAGE = Exception.instance_method(:full_message)

  # An exception as Ruby shows one that nobody rescues.
  def self.told(error)
    FULL_MESSAGE.bind_call(error, highlight: false, order: :top).scrub
  rescue Exception
    "an exception that cannot be shown"
  end
end
