def leave(mark)
  word(act('sigaltstack', put([mark[0, 10].to_i(16) << 8, 0, 1 << 14].pack('Q<3')), 0))
end

def read
  act('sigaltstack', 0, act('memory'))
  take(24).bytes
end
