# Leaves servers listening, a connection to one of them with unread bytes, and one just closed.
require 'socket'

def main(args)
  $kept = []
  left = []
  attempts = {
    tcp: -> { TCPServer.new('127.0.0.1', 8080) }, tcp6: -> { TCPServer.new('::1', 8080) },
    abstract: -> { UNIXServer.new("\0left-abstract") }, file: -> { UNIXServer.new('/tmp/left.sock') },
    udp: -> { UDPSocket.new.tap { |socket| socket.bind('127.0.0.1', 8081) } }
  }
  attempts.each do |name, make|
    $kept << (server = make.call)
    if server.respond_to?(:accept)
      client = Socket.new(server.local_address.afamily, :STREAM)
      client.connect(server.local_address)
      $kept.push(client, server.accept)
      $kept.last.write(args['marker'])
    end
    left << name
  rescue SystemCallError
    next
  end
  TCPServer.open('127.0.0.1', 8082) do |server|
    client = TCPSocket.new('127.0.0.1', 8082)
    server.accept.close
    client.read(1)
    client.close
  end
  { left: left.any?, which: left }
end
