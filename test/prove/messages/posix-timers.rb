# With which Ruby would interrupt system calls a second time.
def leave(mark)
  [attempt('timer_create', 1, 0, act('memory'))]
end

def read
  File.read('/proc/self/timers')
end
