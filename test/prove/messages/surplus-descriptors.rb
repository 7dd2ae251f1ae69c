def leave(mark)
  reading, writing = IO.pipe
  writing.syswrite(mark)
  $kept = IO.for_fd(word(act('dup2', reading.fileno, 400)) && 400)
  'left'
end

def read
  IO.for_fd(400, autoclose: false).sysread(32)
rescue SystemCallError => error
  error.class.name
end
