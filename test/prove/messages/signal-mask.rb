def leave(mark)
  word(act('rt_sigprocmask', 2, put("\xff".b * 8), 0, 8))
end

def read
  File.readlines('/proc/self/status').grep(/^SigBlk/)
end
