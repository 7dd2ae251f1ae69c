def leave(mark)
  STDIN.close
  word(act('close', 0)) == 'EBADF' ? 'left' : 'still there'
end

def read
  File.stat('/proc/self/fd/0').rdev
end
