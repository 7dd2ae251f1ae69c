def leave(mark)
  act('rt_sigprocmask', 0, put("\xff".b * 8), 0, 8)
  [10, 15, 17, *40..63].each { |number| act('kill', Process.pid, number) }
  word(act('rt_sigqueueinfo', Process.pid, 35, put(["2300000000000000ffffffff#{mark}"].pack('H*'))))
end

def read
  File.readlines('/proc/self/status').grep(/^(SigPnd|ShdPnd|SigQ)/)
end
