def leave(mark)
  file = act('memfd_create', put("#{mark}\0"), 0)
  act('write', file, put(mark), mark.size)
  word(act('dup2', file, 300))
end

def read
  [File.readlink('/proc/self/fd/300'), IO.for_fd(300, autoclose: false).pread(32, 0)]
rescue SystemCallError => error
  error.class.name
end
