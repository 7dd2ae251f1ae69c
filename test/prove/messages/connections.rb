require 'socket'

# Listening, connected with bytes unread, half closed, with urgent data, bound; TCP and UDP, old and new.
def leave(mark)
  $kept = %w[127.0.0.1 ::1].flat_map do |address|
    server = TCPServer.new(address, 0)
    clients = Array.new(5) do
      client = TCPSocket.new(address, server.addr[1])
      accepted = server.accept
      client.write(mark * 100)
      accepted.send('!', Socket::MSG_OOB)
      client.shutdown(:WR)
      [client, accepted]
    end
    bound = UDPSocket.new(server.local_address.afamily)
    bound.bind(address, 0)
    bound.send(mark, 0, address, bound.addr[1])
    [server, clients, bound]
  end
  'left'
end

def read
  %w[tcp tcp6 udp udp6 raw packet unix mcfilter igmp].to_h { |table| [table, File.readlines("/proc/self/net/#{table}").drop(1)] }
end
