# The action proxy for ruby: warms up, says READY, then answers one frame after the other on descriptor 3.

# Where there are no POSIX timers, as in lean containers, Ruby says so at each fork, and does without: it takes them only to
# interrupt system calls a second time. -W0 says nothing at all until here; from now on warnings are those of a Ruby without it.
Warning.singleton_class.prepend(
  Module.new do
    def warn(message, ...) = message.include?("timer_create failed") ? nil : super
  end
)
$VERBOSE = false

require_relative "rewhisk_proxy/server"

RewhiskProxy::Server.main
