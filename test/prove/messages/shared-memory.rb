def leave(mark)
  file = act('memfd_create', put("#{mark}\0"), 0)
  act('ftruncate', file, 4096)
  word(act('mmap', 0, 4096, 3, 1, file, 0))
end

def read
  File.readlines('/proc/self/maps').grep(/memfd/).grep_v(/rewhisk/).map { |line| line.split.first }
end
