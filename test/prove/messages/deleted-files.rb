require 'socket'

# One that is open, one that is only mapped, one that is only under way between two sockets.
def leave(mark)
  $kept = %w[open mapped sent].map do |name|
    file = File.open("/tmp/#{name}", 'w+')
    file.syswrite(mark * 100)
    File.unlink(file.path)
    file
  end
  $pair = UNIXSocket.pair
  $pair.first.send_io($kept[2])
  mapped = act('mmap', 0, 4096, 3, 1, $kept[1].fileno, 0)
  $kept.pop(2).each(&:close)
  word(mapped)
end

def read
  act('statfs', put("/tmp\0"), act('memory') + 64)
  take(64, 64).unpack('Q<8').values_at(3, 6)
end
