def leave(mark)
  reading, writing = IO.pipe
  writing.syswrite(mark)
  word(act('dup2', reading.fileno, 0))
end

def read
  IO.for_fd(0, autoclose: false).sysread(32)
rescue EOFError
  ''
end
