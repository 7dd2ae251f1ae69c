# Ruby has no words for them.
def leave(mark)
  at = put([1000, 0, 1000 + mark[0, 4].hex, 0].pack('q<4'))
  word((0..2).map { |timer| act('setitimer', timer, at, 0) }.min)
end

def read
  (0..2).map do |timer|
    act('getitimer', timer, act('memory'))
    take(16).unpack('q<2')
  end
end
