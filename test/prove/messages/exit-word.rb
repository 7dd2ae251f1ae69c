def leave(mark)
  word(act('set_tid_address', mark[0, 10].hex))
end

def read
  act('prctl', 40, act('memory'))
  take(8).bytes
end
