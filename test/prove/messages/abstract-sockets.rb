require 'socket'

def leave(mark)
  $kept = UNIXServer.new("\0#{mark}")
  'left'
end

def read
  File.readlines('/proc/self/net/unix').grep(/@/).map { |line| line.split.last }
end
