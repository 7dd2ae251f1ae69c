def leave(mark)
  word(act('prctl', 15, put("#{mark[0, 15]}\0")))
end

def read
  File.read('/proc/self/comm')
end
