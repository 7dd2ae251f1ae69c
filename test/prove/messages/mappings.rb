def leave(mark)
  word((1...40).map { |pages| act('mmap', 0, pages * 4096, 1 + pages % 3, 0x22, -1, 0) }.min)
end

def read
  File.readlines('/proc/self/maps').map { |line| line.split(' ').first(2) }
end
